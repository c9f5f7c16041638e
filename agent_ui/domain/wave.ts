/**
 * The outline of a recording: for each of so many columns the loudest sample of each channel, 0..1.
 *
 * Bytes are taken as they arrive, so an hour of stereo needs no more memory than a minute. PCM of 16 bits, as the
 * media workers write it (RIFF WAVE; other chunks before the samples are skipped).
 */

export interface Outline {
  readonly seconds: number
  /** By channel, by column. */
  readonly peaks: readonly Float32Array[]
}

interface Format {
  readonly channels: number
  readonly rate: number
  readonly start: number
  readonly length: number
}

const HEADER_MOST = 4096
const text = (view: DataView, at: number): string =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3))

/** Where the samples of a WAV file are; null while `head` is too short to tell, an Error when it is no such file. */
export function formatOf(head: Uint8Array): Format | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (head.length < 12) return null
  if (text(view, 0) !== 'RIFF' || text(view, 8) !== 'WAVE') throw new Error('not a WAV file')
  let at = 12
  let form: { channels: number; rate: number } | null = null
  while (at + 8 <= head.length) {
    const name = text(view, at)
    const size = view.getUint32(at + 4, true)
    at += 8
    if (name === 'data') {
      if (form === null) throw new Error('samples before their format')
      return { ...form, start: at, length: size }
    }
    if (name === 'fmt ') {
      if (at + 16 > head.length) return null
      if (view.getUint16(at, true) !== 1 || view.getUint16(at + 14, true) !== 16) throw new Error('not PCM of 16 bits')
      form = { channels: view.getUint16(at + 2, true), rate: view.getUint32(at + 4, true) }
    }
    at += size + (size % 2)
  }
  if (head.length > HEADER_MOST) throw new Error('no samples')
  return null
}

export class OutlineReader {
  #columns: number
  #size: number
  #head: Uint8Array = new Uint8Array(0)
  #format: Format | null = null
  #peaks: Float32Array[] = []
  #frames = 0
  #read = 0
  #rest: Uint8Array = new Uint8Array(0)

  /** `size`: bytes of the whole file, for files whose header was never finished. */
  constructor(columns: number, size: number) {
    this.#columns = columns
    this.#size = size
  }

  /** Take the next bytes. Raises Error for what is no such file. */
  take(bytes: Uint8Array): void {
    if (this.#format !== null) {
      this.#samples(bytes)
      return
    }
    this.#head = joined(this.#head, bytes)
    this.#format = formatOf(this.#head)
    if (this.#format === null) return
    const { channels, start, length } = this.#format
    this.#peaks = Array.from({ length: channels }, () => new Float32Array(this.#columns))
    const whole = Math.max(0, this.#size - start)
    this.#frames = Math.max(1, Math.floor((length === 0 ? whole : Math.min(length, whole)) / (2 * channels)))
    this.#samples(this.#head.subarray(start))
  }

  get outline(): Outline {
    const rate = this.#format?.rate ?? 1
    return { seconds: this.#frames / rate, peaks: this.#peaks }
  }

  #samples(bytes: Uint8Array): void {
    const data = this.#rest.length > 0 ? joined(this.#rest, bytes) : bytes
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    const width = 2 * this.#peaks.length
    const frames = Math.floor(data.length / width)
    for (let frame = 0; frame < frames && this.#read < this.#frames; frame += 1, this.#read += 1) {
      const column = Math.floor((this.#read * this.#columns) / this.#frames)
      for (const [channel, peaks] of this.#peaks.entries()) {
        const loud = Math.abs(view.getInt16(frame * width + 2 * channel, true)) / 32768
        if (loud > (peaks[column] ?? 0)) peaks[column] = loud
      }
    }
    this.#rest = data.slice(frames * width)
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
