/** A binary heap: the item of highest priority first, and of equal ones the one that came first. */
export class PriorityQueue<T> {
  private readonly heap: { readonly item: T; readonly priority: number; readonly order: number }[] = []
  private nextOrder = 0

  get size(): number {
    return this.heap.length
  }

  push(item: T, priority: number): void {
    this.heap.push({ item, priority, order: this.nextOrder++ })
    let i = this.heap.length - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!this.comesBefore(i, parent)) break
      this.swap(i, parent)
      i = parent
    }
  }

  peek(): T | undefined {
    return this.heap[0]?.item
  }

  pop(): T | undefined {
    const top = this.heap[0]
    const last = this.heap.pop()
    if (top === undefined || last === undefined) return undefined
    if (this.heap.length > 0) {
      this.heap[0] = last
      let i = 0
      while (true) {
        let first = i
        for (const child of [2 * i + 1, 2 * i + 2])
          if (child < this.heap.length && this.comesBefore(child, first)) first = child
        if (first === i) break
        this.swap(i, first)
        i = first
      }
    }
    return top.item
  }

  clear(): T[] {
    return this.heap.splice(0).map(({ item }) => item)
  }

  private comesBefore(i: number, j: number): boolean {
    const a = this.heap[i]!
    const b = this.heap[j]!
    return a.priority > b.priority || (a.priority === b.priority && a.order < b.order)
  }

  private swap(i: number, j: number): void {
    ;[this.heap[i], this.heap[j]] = [this.heap[j]!, this.heap[i]!]
  }
}
