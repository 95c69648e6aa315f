import type { IncomingMessage } from 'node:http';

/** The request's URL; proxies may send it whole. Any text that a client sends is taken as a path, so that parsing never fails. */
export const urlOf = ({ url = '/' }: IncomingMessage): URL => new URL(`http://local/${url.replace(/^(https?:\/\/[^/?#]*)?\/*/i, '')}`);
