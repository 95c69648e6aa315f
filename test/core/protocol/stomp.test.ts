import { describe, expect, test } from 'vitest';
import { readCommand, stompShape } from '../../../core/protocol/stomp.ts';
import { parseFrames, type StompVersion } from '../../../core/protocol/stomp-frame.ts';

const SUBSCRIBE = 'SUBSCRIBE\nid:1\ndestination:/t\n\n\0';

test.each([
  ['', 0],
  ['\n', 0],
  ['CONNECT\naccept-version:1.2\n\n\0', 0],
  ['UNSUBSCRIBE\nid:1\n\n\0', 0],
  ['SUBSCRIBED\n\n\0', 0],
  ['SEND\n\nSUBSCRIBE\n\0', 0],
  [SUBSCRIBE, 1],
  [`\n\r\n${SUBSCRIBE}`, 1],
  [SUBSCRIBE.replace('SUBSCRIBE\n', 'SUBSCRIBE\r\n'), 1],
  [`${SUBSCRIBE}\n${SUBSCRIBE}${SUBSCRIBE}`, 3],
])('%j subscribes %i times', (text, count) => {
  expect(stompShape(text)?.subscribes).toBe(count);
});

test.each([
  ['\n', 1],
  ['', 1],
  ['CONNECT\n\n\0', 1],
  ['CONNECT\n\n\0\n', 1],
  [`CONNECT\n\n\0${SUBSCRIBE}${SUBSCRIBE}`, 3],
])('%j holds %i frames, a heart-beat counted as one', (text, count) => {
  expect(stompShape(text)?.frames).toBe(count);
});

test.each([
  ['', false],
  ['\n', false],
  ['\r\n', false],
  ['CONNECT\n\n\0', true],
  ['\n\nSTOMP\r\n\n\0', true],
  ['SUBSCRIBE\n', true],
  ['DISCONNECT\n', true],
  ['SEND\n', true],
  ['UNSUBSCRIBE\n', true],
  ['CONNECTED\n', false],
  ['Hello', false],
])('%j can only be STOMP; it begins with a frame that only clients send: %s', (text, isFrame) => {
  expect(stompShape(text)).toMatchObject({ isFrame });
});

test.each(['{"type":"ping"}', ' CONNECT\n', 'connect\n', 'x\nCONNECT\n', '[]', '7', '"A"'])('%j may be JSON', (text) => {
  expect(stompShape(text)).toBeNull();
});

describe('a command', () => {
  const read = (text: string, version: StompVersion = '1.2') => {
    const [frame] = parseFrames(`${text}\n\n\0`, () => version);
    return frame && readCommand(frame, version);
  };

  test.each<[string, object]>([
    ['CONNECT\naccept-version:1.0,1.1,1.2', { type: 'connect', version: '1.2', token: null }],
    ['STOMP\naccept-version:1.1 , 1.0', { type: 'connect', version: '1.1', token: null }],
    ['CONNECT', { type: 'connect', version: '1.0', token: null }],
    ['CONNECT\nAuthorization:Bearer abc', { type: 'connect', version: '1.0', token: 'abc' }],
    ['CONNECT\nauthorization:Bearer abc\npasscode:p', { type: 'connect', version: '1.0', token: 'abc' }],
    ['CONNECT\npasscode:p', { type: 'connect', version: '1.0', token: 'p' }],
    ['CONNECT\npasscode:', { type: 'connect', version: '1.0', token: null }],
    ['CONNECT\nheart-beat:10000,0', { type: 'connect', version: '1.0', token: null }],
    ['SUBSCRIBE\nid:1\ndestination:/t', { type: 'subscribe', id: '1', destination: '/t', since: null, receipt: null }],
    [
      'SUBSCRIBE\nid:1\ndestination:/t\nack:auto\nreceipt:r\nsince:e-7',
      { type: 'subscribe', id: '1', destination: '/t', since: { epoch: 'e', offset: 7 }, receipt: 'r' },
    ],
    ['UNSUBSCRIBE\nid:1\nreceipt:r', { type: 'unsubscribe', id: '1', destination: null, receipt: 'r' }],
    ['UNSUBSCRIBE\nid:1\ndestination:/t', { type: 'unsubscribe', id: '1', destination: null, receipt: null }],
    ['DISCONNECT\nreceipt:r', { type: 'disconnect', receipt: 'r' }],
  ])('%j is read', (text, command) => {
    expect(read(text)).toEqual(command);
  });

  test('of 1.0 may name its subscription by the destination alone', () => {
    expect(read('SUBSCRIBE\ndestination:/t', '1.0')).toMatchObject({ id: '', destination: '/t' });
    expect(read('UNSUBSCRIBE\ndestination:/t', '1.0')).toMatchObject({ id: '', destination: '/t' });
    expect(() => read('UNSUBSCRIBE', '1.0')).toThrow('a header is missing: id');
  });

  test.each([
    ['CONNECT\naccept-version:2.0', 'accept-version: expected one of 1.0,1.1,1.2'],
    ['CONNECT\nheart-beat:often', 'heart-beat: expected two numbers of ms, such as 10000,10000'],
    ['CONNECT\nheart-beat:10000', 'heart-beat: expected two numbers of ms, such as 10000,10000'],
    ['CONNECT\nheart-beat:12345678901,0', 'heart-beat: expected two numbers of ms, such as 10000,10000'],
    ['SUBSCRIBE\nid:1', 'a header is missing: destination'],
    ['SUBSCRIBE\ndestination:/t', 'a header is missing: id'],
    ['SUBSCRIBE\nid:1\ndestination:/t\nack:client', 'ack:client is not offered: messages are not acknowledged, leave ack out'],
    ['SUBSCRIBE\nid:1\ndestination:/t\nsince:soon', 'since: expected a position, epoch-offset, got "soon"'],
    [`SUBSCRIBE\nid:1\ndestination:/${'x'.repeat(200)}`, 'destination: more than 200 characters'],
    [`SUBSCRIBE\nid:${'x'.repeat(129)}\ndestination:/t`, 'id: more than 128 characters'],
    [`SUBSCRIBE\nid:${'한'.repeat(67)}\ndestination:/t`, 'id: too long'],
    ['SEND\ndestination:/t', 'clients do not SEND here: events are published over HTTP or on the event bus'],
    ['ACK\nid:1', 'ACK is not served here; CONNECT, SUBSCRIBE, UNSUBSCRIBE and DISCONNECT are'],
  ])('%j is refused', (text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE_FORMAT', message }));
  });

  test('may have names as long as the limits', () => {
    expect(read(`SUBSCRIBE\nid:${'x'.repeat(128)}\ndestination:/${'x'.repeat(199)}`)).toMatchObject({ id: 'x'.repeat(128) });
    // 66 characters of 9 escaped ones each
    expect(read(`SUBSCRIBE\nid:${'한'.repeat(66)}\ndestination:/t`)).toMatchObject({ id: '한'.repeat(66) });
  });
});
