/** Chance that a seed repeats: what a run did, the same seed does again, as far as timing lets it. */
export interface Chance {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number from 0 to `below` - 1. */
  whole(below: number): number
}

/** @param seed a 32-bit integer. Mulberry32: short, and good enough to choose with. */
export function seededChance(seed: number): Chance {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  return { next, whole: (below) => Math.floor(next() * below) }
}
