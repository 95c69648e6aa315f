import type { IncomingMessage } from 'node:http';

/** The request's address. Whatever a client writes there is a path of ours, so nothing it writes can fail to parse. */
export const urlOf = ({ url = '/' }: IncomingMessage): URL => new URL(`http://local/${url.replace(/^\/+/, '')}`);
