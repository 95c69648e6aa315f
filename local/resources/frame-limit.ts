import type { Duplex } from 'node:stream';

/**
 * Watches the frames that a client sends, and calls `tooLong` once when one has more than `maxBytes`. The WebSocket
 * library limits only messages. The platform limits frames too, and a client that works here must work there.
 */
export function watchFrames(socket: Duplex, head: Buffer, maxBytes: number, tooLong: () => void): void {
  let header = Buffer.alloc(0);
  let toSkip = 0;
  let over = false;
  const scan = (chunk: Buffer): void => {
    let at = 0;
    while (at < chunk.length && !over) {
      if (toSkip > 0) {
        const skipped = Math.min(toSkip, chunk.length - at);
        toSkip -= skipped;
        at += skipped;
        continue;
      }
      header = Buffer.concat([header, chunk.subarray(at, at + 1)]);
      at++;
      const length = payloadLength(header);
      if (length === null) continue;
      header = Buffer.alloc(0);
      toSkip = length;
      if (length > maxBytes) {
        over = true;
        tooLong();
      }
    }
  };
  if (head.length > 0) scan(head);
  socket.prependListener('data', scan);
}

/** The payload's length; `null` while the header, mask included, is incomplete. */
function payloadLength(header: Buffer): number | null {
  if (header.length < 2) return null;
  const second = header.readUInt8(1);
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const whole = 2 + extended + (second & 0x80 ? 4 : 0);
  if (header.length < whole) return null;
  if (extended === 0) return short;
  return extended === 2 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
}
