/** `Math.round` for where millions of numbers are rounded: without its branch, which no processor can foretell. They
 *  differ for the largest number below a half, and beyond 2^52, where nothing is left to round. */
export const rounded = (x: number): number => Math.floor(x + 0.5)
