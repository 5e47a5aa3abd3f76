/** What the page does beside being read: the theme button, and charts whose legend follows the pointer or the arrow
 *  keys. It runs in a browser and is part of the page as it stands here. */
export const pageScript = `'use strict';
(() => {
  const root = document.documentElement;
  const button = document.querySelector('.theme');
  const themes = ['auto', 'light', 'dark'];
  const remembered = () => { try { return localStorage.getItem('theme'); } catch { return null; } };
  const show = (theme) => {
    if (theme === 'auto') delete root.dataset.theme; else root.dataset.theme = theme;
    button.textContent = 'Theme: ' + theme;
  };
  let theme = themes.includes(remembered()) ? remembered() : 'auto';
  show(theme);
  button.hidden = false;
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try { localStorage.setItem('theme', theme); } catch { /* a page from disk may not remember */ }
    show(theme);
  });

  const fixed = (value, digits) => {
    const text = Math.abs(value).toFixed(digits);
    return value < 0 && /[1-9]/.test(text) ? '\\u2212' + text : text;
  };
  const plus = (value, text) => (value > 0 && /[1-9]/.test(text) ? '+' + text : text);
  const texts = {
    percent: (value) => plus(value, fixed(value * 100, 1) + '%'),
    ratio: (value) => fixed(value, 2),
    usdt: (value) => plus(value, fixed(value, 0).replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',')),
  };
  const instant = (tsMs) => new Date(tsMs).toISOString().slice(0, 16).replace('T', ' ').replace(' 00:00', '');

  for (const chart of document.querySelectorAll('.chart')) {
    const data = JSON.parse(chart.querySelector('script').textContent);
    const box = chart.querySelector('.box');
    const cursor = chart.querySelector('.cursor');
    const when = chart.querySelector('.when');
    const places = [...chart.querySelectorAll('.key b')];
    const resting = places.map((place) => place.textContent);
    const rows = data.values[0].length;
    const tsMs = Array.isArray(data.tsMs)
      ? data.tsMs
      : Array.from({ length: rows }, (_, row) => data.tsMs.fromMs + row * data.tsMs.stepMs);
    const spanMs = tsMs[rows - 1] - tsMs[0];
    let at = rows - 1;

    const point = (row) => {
      at = Math.min(rows - 1, Math.max(0, row));
      cursor.hidden = false;
      cursor.style.left = ((tsMs[at] - tsMs[0]) / spanMs) * 100 + '%';
      when.textContent = instant(tsMs[at]);
      places.forEach((place, line) => {
        const value = data.values[line][at];
        place.textContent = value === null ? '\\u2013' : texts[data.unit](value);
      });
    };
    const leave = () => {
      cursor.hidden = true;
      when.textContent = '';
      places.forEach((place, line) => { place.textContent = resting[line]; });
    };
    const nearest = (wantedMs) => {
      let low = 0, high = rows - 1;
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (tsMs[middle] <= wantedMs) low = middle; else high = middle;
      }
      return wantedMs - tsMs[low] <= tsMs[high] - wantedMs ? low : high;
    };
    const follow = (event) => {
      const { left, width } = box.getBoundingClientRect();
      point(nearest(tsMs[0] + ((event.clientX - left) / width) * spanMs));
    };
    box.addEventListener('pointermove', follow);
    box.addEventListener('pointerdown', follow);
    box.addEventListener('pointerleave', leave);
    chart.addEventListener('blur', leave);
    chart.addEventListener('keydown', (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -rows, End: rows };
      if (!(event.key in steps)) return;
      event.preventDefault();
      point(at + steps[event.key]);
    });
  }
})();
`
