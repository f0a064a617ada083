import { expect, test } from 'vitest';
import { reachingLoopback } from '../../src/kernel/index.ts';

test.each([
  ['no proxy', { PATH: '/bin' }, { PATH: '/bin' }],
  [
    'a proxy',
    { HTTP_PROXY: 'http://p:3128' },
    { HTTP_PROXY: 'http://p:3128', NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' },
  ],
  [
    'a proxy with exceptions',
    { https_proxy: 'http://p:3128', no_proxy: '.example.org' },
    { https_proxy: 'http://p:3128', NO_PROXY: '.example.org,127.0.0.1', no_proxy: '.example.org,127.0.0.1' },
  ],
])('N01 N02 %s: the ports of this machine are reached without one', (_, given, wanted) => {
  expect(reachingLoopback(given)).toEqual(wanted);
});
