import * as v from 'valibot';

/** Separates an event's id from the number of its part. Publishers' ids may not contain control characters, so no id looks like a part. */
export const PART_SEPARATOR = '\u001f';

/** Schema of an event's id. */
export const eventId = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(maxLength),
    v.check((id) => !/\p{Cc}/u.test(id), 'expected an id without control characters'),
  );
