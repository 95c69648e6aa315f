import * as v from 'valibot';

/** There is a topic for each buyer and concert or seat: those that nobody asks for any more are forgotten after two days. */
export const TICKET_LIFE_MS = 2 * 86_400_000;

export const integer = v.pipe(v.number(), v.safeInteger('expected a whole number'));

/** A whole number from 0 up: a count, or what names a user, a concert or a seat. */
export const wholeNumber = v.pipe(integer, v.minValue(0, 'expected 0 or more'));

/** The same in an address: no more digits than a safe integer has. */
export const ID = '(0|[1-9]\\d{0,15})';
