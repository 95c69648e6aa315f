import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NUMBER, text, topicPattern, WORD } from '../../../core/channels/topic-pattern.ts';

const orders = topicPattern('/topic/orders/{orderId}/{user.id}/{userId}', { orderId: NUMBER });
const seats = topicPattern('/topic/seats/{seatId}/{userId}', { seatId: NUMBER });

test.each([
  ['/topic/seats/0/a', { seatId: 0, userId: 'a' }],
  ['/topic/seats/12/A-b_c.9', { seatId: 12, userId: 'A-b_c.9' }],
  ['/topic/seats/9007199254740991/a', { seatId: 9_007_199_254_740_991, userId: 'a' }],
  [`/topic/seats/1/${'a'.repeat(64)}`, { seatId: 1, userId: 'a'.repeat(64) }],
])('%s is a topic of the pattern', (topic, values) => {
  expect(seats.match(topic)).toEqual(values);
  expect(seats.matches(topic)).toBe(true);
});

test.each([
  ['', 'nothing'],
  ['/topic/seats/1', 'a parameter that is missing'],
  ['/topic/seats/1/a/b', 'a segment too many'],
  ['/topic/seats//a', 'an empty parameter'],
  ['/topic/seats/1/', 'an empty last parameter'],
  ['/topic/seats/01/a', 'a number with a leading zero'],
  ['/topic/seats/-1/a', 'a negative number'],
  ['/topic/seats/1.5/a', 'a fraction'],
  ['/topic/seats/x/a', 'a word instead of a number'],
  ['/topic/seats/1/a b', 'a space'],
  ['/topic/seats/1/a#b', 'a separator of keys'],
  [`/topic/seats/1/${'a'.repeat(65)}`, 'a word that is too long'],
  ['x/topic/seats/1/a', 'something before it'],
  ['/topic/seats/1/a\n', 'a line feed after it'],
  ['/topic/chairs/1/a', 'another text'],
])('%j is no topic of the pattern: %s', (topic) => {
  expect(seats.match(topic)).toBeNull();
  expect(seats.matches(topic)).toBe(false);
});

test('a topic is matched with the values that it was made of', () => {
  fc.assert(
    fc.property(fc.nat(), fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/), (seatId, userId) => {
      const values = { seatId, userId };

      expect(seats.match(seats.topicOf(values))).toEqual(values);
    }),
  );
});

test('the text around the parameters is no regular expression', () => {
  const odd = topicPattern('a.b+(c)[d]|{one}$');

  expect(odd.match('a.b+(c)[d]|x$')).toEqual({ one: 'x' });
  expect(odd.match('aXb+(c)[d]|x$')).toBeNull();
  expect(odd.match('a.bb(c)[d]|x$')).toBeNull();
});

test('a pattern without parameters is one topic', () => {
  const one = topicPattern('ops:alert');

  expect(one.match('ops:alert')).toEqual({});
  expect(one.match('ops:alerts')).toBeNull();
  expect(one.topicOf({})).toBe('ops:alert');
  expect(one.names).toEqual([]);
});

test('a brace that is no parameter stands for itself', () => {
  expect(orders.names).toEqual(['orderId', 'userId']);
  expect(orders.topicOf({ orderId: 1, userId: 'me' })).toBe('/topic/orders/1/{user.id}/me');
  expect(orders.match('/topic/orders/1/{user.id}/me')).toEqual({ orderId: 1, userId: 'me' });
});

test('the hint is the pattern, and names what is neither a word nor a number', () => {
  const priced = topicPattern('price:{ticker}/{day}/{seat}', {
    ticker: text('[0-9A-Z]{6}', 'six digits or capital letters'),
    seat: NUMBER,
  });

  expect(priced.hint).toBe('price:{ticker}/{day}/{seat}, the ticker six digits or capital letters');
  expect(seats.hint).toBe('/topic/seats/{seatId}/{userId}');
});

test.each([
  [0, 0],
  [7, 7],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  [Number.MAX_SAFE_INTEGER + 1, null],
  [-1, null],
  [1.5, null],
  ['7', null],
  [null, null],
  [undefined, null],
])('the JSON value %j is the number %j', (value, expected) => {
  expect(NUMBER.read(value)).toBe(expected);
});

test.each([
  ['0', 0],
  ['0012', 12],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740993', null],
  ['12345678901234567', null],
  ['', null],
  ['-1', null],
  ['1.0', null],
  ['1e3', null],
  [' 1', null],
])('the text %j is the number %j', (given, expected) => {
  expect(NUMBER.parse(given)).toBe(expected);
});

test('a text parameter is a text that matches as a whole, from a body or a query', () => {
  const either = text('ab|cd', 'ab or cd');

  for (const read of [either.read, either.parse]) {
    expect(read('ab')).toBe('ab');
    expect(read('cd')).toBe('cd');
    expect(read('abd')).toBeNull();
    expect(read('acd')).toBeNull();
  }
  expect(either.read(12)).toBeNull();
  expect(WORD.read('')).toBeNull();
});

test('parameters are read from a query as texts, and from a body as values', () => {
  const read = { topic: '/topic/seats/12/me', values: { seatId: 12, userId: 'me' } };

  expect(seats.read({ query: { seatId: '12', userId: 'me', other: 'x' } })).toEqual(read);
  expect(seats.read({ body: { seatId: 12, userId: 'me', other: 'x' } })).toEqual(read);
});

test.each([
  [{ query: {} }, 'seatId: expected a whole number from 0 up, got nothing', 'seatId'],
  [{ query: { seatId: 'x', userId: '!' } }, 'seatId: expected a whole number from 0 up, got "x"', 'seatId'],
  [{ query: { seatId: '1' } }, 'userId: expected letters, digits, _ . -, got nothing', 'userId'],
  [{ body: { seatId: '1', userId: 'me' } }, 'seatId: expected a whole number from 0 up, got "1"', 'seatId'],
  [{ body: { seatId: 1, userId: null } }, 'userId: expected letters, digits, _ . -, got null', 'userId'],
  [{ body: { seatId: 1, userId: { a: 1 } } }, 'userId: expected letters, digits, _ . -, got {"a":1}', 'userId'],
  [{ body: { seatId: 1, userId: () => 1 } }, 'userId: expected letters, digits, _ . -, got nothing', 'userId'],
])('the error about %j names the first parameter that is wrong', (given, message, parameter) => {
  expect(() => seats.read(given)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE_FORMAT', message, details: { parameter } }));
});

test('the order of the check is the order that is given', () => {
  const wrong = { query: { seatId: 'x', userId: '!' } };
  const ordered = topicPattern('/topic/seats/{seatId}/{userId}', { seatId: NUMBER }, ['userId', 'seatId']);

  expect(() => seats.read(wrong)).toThrow(/^seatId/);
  expect(() => ordered.read(wrong)).toThrow(/^userId/);
  const { topic, values } = ordered.read({ query: { seatId: '1', userId: 'a' } });
  expect(topic).toBe('/topic/seats/1/a');
  expect(Object.keys(values)).toEqual(['userId', 'seatId']);
});

test('an error quotes at most 100 characters of what came', () => {
  expect(() => seats.read({ query: { seatId: 'x'.repeat(500), userId: 'a' } })).toThrow(
    `seatId: expected a whole number from 0 up, got "${'x'.repeat(99)}`,
  );
  expect(() => seats.read({ query: { seatId: 'x'.repeat(500), userId: 'a' } })).not.toThrow('x'.repeat(101));
});

test('a topic with a number beyond the safe integers matches no pattern', () => {
  const queue = topicPattern('/topic/waiting-queue/{concertId}/{userId}', { concertId: NUMBER, userId: NUMBER });
  const beyond = '/topic/waiting-queue/1/9007199254740993';

  expect(queue.match(beyond)).toBeNull();
  expect(queue.matches(beyond)).toBe(false);
});
