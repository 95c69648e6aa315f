/** The addresses that a webhook may be sent to: https, a host on the list, and nothing but public addresses behind its name. */
import ipaddr from 'ipaddr.js';

/** A reason that may be told: it quotes no part of an address that could be secret. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** Reads an address. `hosts`: names that are allowed, in lower case; `*.example.com` allows every name below. Throws an AddressError. */
export function readAddress(text: string, hosts: readonly string[]): URL {
  // the parser turns every spelling of a number into one: 127.1, 0x7f000001, 017700000001
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw new AddressError('url: expected an address, such as https://discord.com/api/webhooks/…');
  if (url.protocol !== 'https:') throw new AddressError(`url: expected https, got ${url.protocol.slice(0, -1)}`);
  if (url.username !== '' || url.password !== '') throw new AddressError('url: expected no user and no password');
  if (url.port !== '') throw new AddressError(`url: expected port 443, got ${url.port}`);
  const host = hostOf(url);
  if (!hosts.some((one) => isAllowed(host, one)))
    throw new AddressError(`webhooks may not be sent to ${host}: allowed are ${hosts.join(', ') || 'none'} (WEBHOOK_HOSTS)`);
  return url;
}

/** Without the dot that a full name may end with, and the brackets of IPv6. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/\.$/, '').replace(/^\[|\]$/g, '');

const isAllowed = (host: string, pattern: string): boolean =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1 : host === pattern;

/** The part of IPv6 that is given out for the internet: 2000::/3. Its special ranges are told apart by `ipaddr.js`. */
const GLOBAL_V6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/** Whether an address belongs to the internet at large. Anything that is not known to is refused: private, link-local, metadata, and IPv4 in any IPv6 dress. */
export function isPublic(text: string): boolean {
  if (!isLiteral(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(GLOBAL_V6);
}

/** An address in the one form that parsers of URLs and look-ups give. */
const isLiteral = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);

/** Looks a host up: all its addresses. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/**
 * The one address that a request goes to. The name is looked up once, and refused if any of its addresses is not public:
 * a second look-up could say something else. Throws an AddressError.
 */
export async function publicAddress(host: string, resolve: Resolve): Promise<string> {
  const found = isLiteral(host) ? [host] : await resolve(host);
  const [first] = found;
  if (first === undefined) throw new AddressError(`${host} has no address`);
  if (!found.every(isPublic)) throw new AddressError(`${host} is at an address that is not public: webhooks are not sent there`);
  return first;
}
