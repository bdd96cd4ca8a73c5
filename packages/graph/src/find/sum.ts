/**
 * The sum of some numbers. Whole ones add up exactly; what has a fraction, or is infinite, is added up beside them with the
 * rounding kept (Neumaier), so that the order of many small numbers hardly matters.
 */
export class Sum {
  private count = 0;
  /** The whole numbers: `whole` as long as it is exact, the rest in `large`. */
  private whole = 0;
  private large = 0n;
  private fractions = 0;
  private fraction = 0;
  private lost = 0;

  add(value: number | bigint): void {
    this.count += 1;
    if (typeof value === 'bigint') this.large += value;
    else if (Number.isSafeInteger(value)) {
      const sum = this.whole + value;
      if (Number.isSafeInteger(sum)) this.whole = sum;
      else {
        this.large += BigInt(this.whole);
        this.whole = value;
      }
    } else this.addFraction(value);
  }

  /** undefined: nothing was added. */
  get total(): number | bigint | undefined {
    if (this.count === 0) return undefined;
    const whole = this.large + BigInt(this.whole);
    if (this.fractions > 0) return this.fraction + this.lost + Number(whole);
    const number = Number(whole);
    return Number.isSafeInteger(number) ? number : whole;
  }

  /** undefined: nothing was added. */
  get mean(): number | undefined {
    const { total, count } = this;
    return total === undefined ? undefined : Number(total) / count;
  }

  private addFraction(value: number): void {
    const { fraction } = this;
    const sum = fraction + value;
    this.fractions += 1;
    this.fraction = sum;
    // An infinity keeps no rounding: it would become NaN.
    if (!Number.isFinite(sum)) this.lost = 0;
    else if (Math.abs(fraction) >= Math.abs(value)) this.lost += fraction - sum + value;
    else this.lost += value - sum + fraction;
  }
}
