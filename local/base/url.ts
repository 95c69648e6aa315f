import type { IncomingMessage } from 'node:http';

/** The request's URL. Any text that a client sends is taken as a path, so that parsing never fails. */
export const urlOf = ({ url = '/' }: IncomingMessage): URL => new URL(`http://local/${url.replace(/^\/+/, '')}`);
