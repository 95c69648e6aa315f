import { expect, test } from 'vitest';
import { clashes } from '../../../core/channels/clashes.ts';
import { ok } from '../../../core/channels/system.ts';
import { ENGINE_SETTINGS } from '../../../core/engine-settings.ts';
import { ENGINE_ROUTES } from '../../../core/http/rest.ts';
import { systems } from '../../../systems/index.ts';

const ENGINE = { settings: ENGINE_SETTINGS, routes: ENGINE_ROUTES };
const twin = { channels: [], settings: [], metrics: {}, alarms: {}, routes: [], messages: {}, workers: {}, name: 'twin' };
const [first] = systems;

test('the systems share no name', () => {
  expect(clashes(systems, ENGINE)).toEqual([]);
});

test('a system that stands in the list twice clashes in all its names', () => {
  const twice = first ? [first, first] : [];

  expect(clashes(twice, ENGINE)).toEqual(
    expect.arrayContaining([
      'system prices: used twice, by prices and prices',
      'channel price: used twice, by prices and prices',
      'topic price:{}: used twice, by prices and prices',
      'event market.price PriceTicked: used twice, by prices and prices',
    ]),
  );
});

test('routes clash whatever their parameters are called', () => {
  const route = (path: string) => ({ method: 'GET', path, serve: async () => ok({}) });
  const [a, b] = [
    { ...twin, name: 'a', routes: [route('/api/orders/{id}')] },
    { ...twin, name: 'b', routes: [route('/api/orders/{orderId}')] },
  ];

  expect(clashes([a, b], ENGINE)).toEqual(['route GET /api/orders/{}: used twice, by a and b']);
});

test('a setting of the engine is no name for a system', () => {
  const setting = { name: 'AUTH_MODE', fallback: '', doc: '', check: () => null };

  expect(clashes([{ ...twin, settings: [setting] }], ENGINE)).toEqual(['setting AUTH_MODE: used twice, by the engine and twin']);
});

test('a route of the engine, whose key check it would pass by, is none for a system', () => {
  const route = { method: 'POST', path: '/internal/events', serve: async () => ok({}) };

  expect(clashes([{ ...twin, routes: [route] }], ENGINE)).toEqual(['route POST /internal/events: used twice, by the engine and twin']);
});
