export { failureOf, vfsConformance } from './conformance.ts';
export type { ConformanceSubject, TestFunctions } from './conformance.ts';
export { CRASH_POLICIES, SECTOR } from './crash-policy.ts';
export type {
  CrashPolicy,
  Keep,
  KeepFunction,
  Lost,
  Names,
  PendingData,
  PendingName,
  PendingOperation,
} from './crash-policy.ts';
export { FaultyVfs } from './faulty-vfs.ts';
export type { Call, Fault } from './faulty-vfs.ts';
export { Random, seeds } from './random.ts';
export { SimCrash } from './sim-crash.ts';
export { SimDisk } from './sim-disk.ts';
export type { OperationHook, SimOperation, SyncFault } from './sim-disk.ts';
export { SimEnv } from './sim-env.ts';
export type { SimEnvOptions, SimulatedEnv } from './sim-env.ts';
export { SimProcess } from './sim-process.ts';
export { ScheduledEnv, ScheduleError, SimSchedule } from './sim-schedule.ts';
export type { ScheduleOptions, StepKind } from './sim-schedule.ts';
export { slowVfs } from './slow-vfs.ts';
