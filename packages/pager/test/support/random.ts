// Seeded randomness of all tests here: one seed replays a run.
export { Random, seeds } from '@sombra/vfs/testing';
