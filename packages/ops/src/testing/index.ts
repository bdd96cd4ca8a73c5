export { objectStoreConformance } from './conformance.ts';
export type { ConformanceOptions, ConformanceSubject, TestFunctions } from './conformance.ts';
