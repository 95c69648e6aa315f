/** An answer that is looked at is no longer, in characters. */
const MOST = 100_000;

/** The beginning of a body: a wrong address may send without end. */
export async function firstOf({ body }: Response): Promise<string> {
  let text = '';
  for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.length > MOST) break;
  }
  return text;
}
