/** What the page of quality does beside being read: tells of the day under the pointer, and lists the days of a symbol. It
 *  runs in a browser and is part of the page as it stands here. Text goes in as text, never as markup. */
export const qualityScript = `
(() => {
  const calendar = document.querySelector('.calendar');
  const data = JSON.parse(calendar.querySelector('script').textContent);
  const told = calendar.querySelector('.told');
  const lanes = [...calendar.querySelectorAll('.lane')];
  const dayMs = 86400000;
  const fromMs = Date.parse(data.from);
  const unfold = (values) => {
    if (Array.isArray(values)) return values;
    const all = [];
    for (let i = 0; i < values.runs.length; i += 2) for (let n = 0; n < values.runs[i + 1]; n++) all.push(values.runs[i]);
    return all;
  };
  const symbols = data.symbols.map((symbol) => ({
    ...symbol, status: unfold(symbol.status), values: symbol.values.map(unfold),
  }));
  const dayOf = (day) => new Date(fromMs + day * dayMs).toISOString().slice(0, 10);
  const grouped = (value) => String(value).replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',');
  const clock = (minute, day) => {
    const text = new Date(fromMs + minute * 60000).toISOString();
    return minute === (day + 1) * 1440 ? '24:00' : Math.floor(minute / 1440) === day ? text.slice(11, 16) : text.slice(0, 16).replace('T', ' ');
  };
  const make = (name, text, kind) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const touching = (spans, day, from, to) => spans.filter((span) => span[from] < (day + 1) * 1440 && span[to] > day * 1440);

  let at;
  const show = (s, day) => {
    if (at) lanes[at.s].querySelector('.at').hidden = true;
    at = { s, day };
    const mark = lanes[s].querySelector('.at');
    mark.hidden = false;
    mark.style.left = (day / data.days) * 100 + '%';
    mark.style.width = 100 / data.days + '%';
    const symbol = symbols[s];
    const row = day - symbol.first;
    const status = data.statuses[symbol.status[row]];
    const head = make('div');
    head.append(make('b', dayOf(day) + '  ' + symbol.name + ' '), make('span', status ?? 'not looked at', 'status ' + (status ?? '')));
    told.replaceChildren(head);
    if (status) {
      const list = make('dl');
      data.metrics.forEach((name, m) => {
        const value = symbol.values[m][row];
        if (value === 0 && m > 1) return;
        const pair = make('div');
        pair.append(make('dt', name), make('dd', grouped(value)));
        list.append(pair);
      });
      told.append(list);
      const found = touching(symbol.findings, day, 1, 2).map(([kind, from, to, bars, worst]) =>
        data.kinds[kind] + ': ' + clock(from, day) + ' to ' + clock(to, day) + ', ' + grouped(bars) + ' bars' + (worst ? ', ' + worst : ''));
      const kept = touching(symbol.masks, day, 0, 1).map(([from, to, action]) =>
        'no new orders from ' + clock(from, day) + ' to ' + clock(to, day) + ' (' + action + ')');
      const items = make('ul');
      for (const line of [...found, ...kept].slice(0, 12)) items.append(make('li', line));
      if (found.length + kept.length > 12) items.append(make('li', 'and ' + (found.length + kept.length - 12) + ' more'));
      if (items.childElementCount > 0) told.append(items);
    }
    told.hidden = false;
  };
  const follow = (event) => {
    const lane = event.target.closest('.lane');
    if (!lane) return;
    const { left, width } = lane.getBoundingClientRect();
    const day = Math.min(data.days - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * data.days)));
    show(Number(lane.dataset.symbol), day);
  };
  calendar.addEventListener('pointermove', follow);
  calendar.addEventListener('pointerdown', follow);
  calendar.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -data.days], End: [0, data.days] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const next = at ? { s: at.s + step[0], day: at.day + step[1] } : { s: 0, day: 0 };
    show(Math.min(symbols.length - 1, Math.max(0, next.s)), Math.min(data.days - 1, Math.max(0, next.day)));
  });

  const choose = document.querySelector('.choose');
  const select = choose.querySelector('select');
  const onlyBad = choose.querySelector('input');
  const rows = document.querySelector('.day-rows');
  const list = () => {
    const symbol = symbols[select.selectedIndex];
    const table = make('table');
    const head = make('tr');
    const shown = data.metrics.map((_, m) => m).filter((m) => m < 2 || symbol.values[m].some((value) => value !== 0));
    for (const name of ['Day', 'Status', ...shown.map((m) => data.metrics[m]), 'Findings']) head.append(make('th', name));
    const body = make('tbody');
    symbol.status.forEach((code, row) => {
      const status = data.statuses[code];
      if (onlyBad.checked && status === 'ok') return;
      const day = symbol.first + row;
      const line = make('tr');
      const named = make('td');
      named.append(make('span', status, 'status ' + status));
      line.append(make('th', dayOf(day)), named);
      for (const m of shown) line.append(make('td', grouped(symbol.values[m][row])));
      const kinds = touching(symbol.findings, day, 1, 2).map(([kind]) => data.kinds[kind]);
      line.append(make('td', [...new Set(kinds)].join(', ')));
      body.append(line);
    });
    const top = make('thead');
    top.append(head);
    table.append(top, body);
    rows.replaceChildren(body.childElementCount > 0 ? table : make('p', 'Every day of it is ok.', 'empty'));
  };
  choose.hidden = false;
  const worst = symbols.map(({ status }) => status.filter((code) => data.statuses[code] !== 'ok').length);
  select.selectedIndex = worst.indexOf(Math.max(...worst));
  select.addEventListener('change', list);
  onlyBad.addEventListener('change', list);
  list();
  calendar.addEventListener('click', (event) => {
    const names = [...calendar.querySelectorAll('.lane-name')];
    if (!names.includes(event.target)) return;
    select.selectedIndex = names.indexOf(event.target);
    list();
    document.getElementById('days').scrollIntoView();
  });
})();
`
