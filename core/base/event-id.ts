import * as v from 'valibot';

/** An event's id. Control characters are ours: they tell parts of one event apart. */
export const eventId = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(maxLength),
    v.check((id) => !/\p{Cc}/u.test(id), 'expected an id without control characters'),
  );
