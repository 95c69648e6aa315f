import type { Setting, Settings } from '../../../core/settings.ts';

const HOSTS = 'WEBHOOK_HOSTS';
export const TEMPLATES_FOLDER = 'WEBHOOK_TEMPLATES';
const HOST = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/i;

export const WEBHOOK_SETTINGS: readonly Setting[] = [
  {
    name: HOSTS,
    fallback: 'discord.com,discordapp.com,hooks.slack.com',
    check: (value) =>
      value === '' || value.split(',').every((one) => HOST.test(one.trim()))
        ? null
        : 'host names, comma separated, such as hooks.example.com,*.example.org',
    normal: (value) =>
      value
        .split(',')
        .map((one) => one.trim().toLowerCase())
        .join(','),
    doc: 'hosts that webhooks may be sent to, comma separated; `*.example.org` is every name below; empty = none',
  },
  {
    name: TEMPLATES_FOLDER,
    fallback: '',
    check: () => null,
    doc: 'folder with webhook templates of your own, JSON files, read when the functions are bundled',
  },
];

export const allowedHosts = (settings: Settings): string[] => (settings[HOSTS] ?? '').split(',').filter((host) => host !== '');
