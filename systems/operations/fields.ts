import * as v from 'valibot';

/** A client's name for something: itself, a service, a template. */
export const name = v.pipe(v.string(), v.minLength(1, 'expected a name'), v.maxLength(200));

/** The role that may act on monitored systems. */
export const CONTROL = 'ops:control';
