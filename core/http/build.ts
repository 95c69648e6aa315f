/** Put in by the bundler. */
declare const BUILD_ID: string | undefined;

/** The sources that this bundle was made of, as a digest: `npm run doctor` compares it with those of a checkout. */
export const BUILD = typeof BUILD_ID === 'undefined' ? 'unbundled' : BUILD_ID;
