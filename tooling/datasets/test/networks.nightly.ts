// Goal: a network of 1.4 million edges is loaded whole, and its counts, joins, paths and dates (17 digits, beyond 2^53) are
// what a plain computation without any database finds. Method: as networks.test.ts.
import { LARGE_NETWORK, testNetwork } from './networks.ts';

testNetwork(LARGE_NETWORK);
