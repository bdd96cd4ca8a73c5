/** The SDK of S3: installed by those who use S3, and loaded when they do. */
import { StateError } from '@sombra/vfs';
import type * as client from '@aws-sdk/client-s3';
import type * as storage from '@aws-sdk/lib-storage';

export type S3Sdk = Omit<typeof client, 'default'>;
export type UploadSdk = Pick<typeof storage, 'Upload'>;

/** @throws StateError SOMBRA_STORE_DRIVER */
export async function loadSdk(): Promise<S3Sdk & UploadSdk> {
  try {
    const [s3, uploads] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')]);
    return { ...s3, Upload: uploads.Upload };
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StateError(
      'SOMBRA_STORE_DRIVER',
      'the packages for S3 are not installed: run `npm install @aws-sdk/client-s3 @aws-sdk/lib-storage`',
      { cause: error },
    );
  }
}
