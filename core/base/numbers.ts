/** Schemas of the numbers that events and clients send. */
import * as v from 'valibot';

export const integer = v.pipe(v.number(), v.safeInteger('expected a whole number'));

/** A whole number from 0 up: a count, or an id. */
export const wholeNumber = v.pipe(integer, v.minValue(0, 'expected 0 or more'));
