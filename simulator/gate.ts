/** Lets so many in at once; the others wait in line. */
export class Gate {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly most: number) {}

  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.inside >= this.most) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.inside += 1;
    try {
      return await act();
    } finally {
      // The place goes to the next in line, so that nobody overtakes them.
      const next = this.waiting.shift();
      if (next) next();
      else this.inside -= 1;
    }
  }
}
