/**
 * Web origins, as a browser or an app sends them in `Origin`. Apps have schemes of their own (`tauri://localhost`,
 * `capacitor://localhost`), and a page without an origin sends the text `null`.
 */

/** The form of an origin to which both sides are brought: lower case, without default port and final slash. `null` if it is none. */
export function normalOrigin(text: string): string | null {
  const given = text.trim().toLowerCase();
  if (given === 'null') return given;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+\/?$/.test(given)) return null;
  if (!/^https?:/.test(given)) return given.replace(/\/$/, '');
  return URL.canParse(given) ? new URL(given).origin : null;
}

/**
 * Whether pages of an origin may use the deployment. A caller without `Origin` is no page.
 * @param allowed `*` or origins in normal form, comma separated
 * @param host the deployment's own address, as the caller wrote it: React Native sends it as the origin
 */
export function originAllowed(origin: string | null, allowed: string, host: string | null): boolean {
  if (allowed === '*' || origin === null) return true;
  const normal = normalOrigin(origin);
  if (normal === null) return false;
  if (allowed.split(',').includes(normal)) return true;
  return host !== null && [`http://${host}`, `https://${host}`].some((own) => normalOrigin(own) === normal);
}
