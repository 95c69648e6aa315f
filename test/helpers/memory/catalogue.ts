import type { Acceptance, Catalogue } from '../../../core/ports/catalogue.ts';

export function memoryCatalogue(): Catalogue {
  const listed = new Map<string, Map<string, string | null>>();
  const heard = new Map<string, { atMs: number; leaving: boolean }>();
  const statuses = new Map<string, object>();
  const accepted = new Map<string, Acceptance>();
  const channelOf = (channel: string) => {
    const topics = listed.get(channel) ?? new Map<string, string | null>();
    listed.set(channel, topics);
    return topics;
  };
  return {
    async list(channel, entries) {
      for (const { topic, name } of entries) channelOf(channel).set(topic, name);
    },
    async listNew(channel, topics) {
      for (const topic of topics) channelOf(channel).set(topic, channelOf(channel).get(topic) ?? null);
    },
    topics: async (channel) => [...channelOf(channel)].map(([topic, name]) => ({ topic, name })),
    names: async (channel, topics) =>
      new Map(
        topics.flatMap((topic) => (channelOf(channel).get(topic) ? [[topic, channelOf(channel).get(topic) as string] as const] : [])),
      ),
    async addHeard(topic, atMs) {
      heard.set(topic, { atMs, leaving: false });
    },
    async markLeaving(topic) {
      heard.set(topic, { atMs: heard.get(topic)?.atMs ?? 0, leaving: true });
    },
    heard: async () => [...heard].map(([topic, entry]) => ({ topic, ...entry })),
    async removeHeard(topic, atMs) {
      if (heard.get(topic)?.atMs === atMs) heard.delete(topic);
    },
    async saveStatus(name, status) {
      statuses.set(name, status);
    },
    status: async (name) => (statuses.get(name) as Record<string, unknown> | undefined) ?? null,
    async firstAcceptance(eventId, given) {
      const before = accepted.get(eventId);
      const first = before && before.acceptedAtMs > given.acceptedAtMs - 86_400_000 ? before : given;
      accepted.set(eventId, first);
      return first;
    },
  };
}
