/** As much of the package as is used; it comes without types. */
declare module 'tar-fs' {
  export function extract(folder: string, options: { readonly chown: boolean }): NodeJS.WritableStream;
}
