/** Names of the price system's metrics. */
export const METRIC = { quoteGaps: 'QuoteGaps', feedDown: 'FeedDown' } as const;
