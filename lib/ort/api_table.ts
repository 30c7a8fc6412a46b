/**
 * The functions of ONNX Runtime's C API that this project calls: index in the `OrtApi` struct and C signature
 * (onnxruntime_c_api.h, version 1.29). The struct only ever grows at its end, so an index stays valid in later
 * versions.
 *
 * @module
 */

/** The oldest API version that has every function below. */
export const OLDEST_API_VERSION = 23;
/** The newest API version this table was checked against. */
export const NEWEST_API_VERSION = 29;

const pointer = "pointer"; // an opaque handle, or a `const T*` held as an address
const buffer = "buffer"; // JavaScript's memory: a C string, an array, or `T** out`

/** `OrtStatus* f(...)`: null on success. */
function status<const P extends readonly Deno.NativeType[]>(index: number, parameters: P) {
  return { index, c: { parameters, result: pointer } } as const;
}
/** `void f(T*)`. */
function release(index: number) {
  return { index, c: { parameters: [pointer], result: "void" } } as const;
}

/** Name → index in the struct and signature. */
export const API = {
  CreateStatus: { index: 0, c: { parameters: ["i32", buffer], result: pointer } }, // OrtErrorCode, const char* message
  GetErrorCode: { index: 1, c: { parameters: [pointer], result: "i32" } }, // OrtErrorCode (const OrtStatus*)
  GetErrorMessage: { index: 2, c: { parameters: [pointer], result: pointer } }, // const char* (const OrtStatus*)
  CreateSessionFromArray: status(8, [pointer, buffer, "usize", pointer, buffer]), // env, data, bytes, options, out
  CreateSessionOptions: status(10, [buffer]), // OrtSessionOptions** out
  EnableProfiling: status(14, [pointer, buffer]), // options, const char* prefix of the file
  DisableMemPattern: status(17, [pointer]), // options
  SetSessionGraphOptimizationLevel: status(23, [pointer, "i32"]), // options, GraphOptimizationLevel
  SetIntraOpNumThreads: status(24, [pointer, "i32"]), // options, threads
  CreateCustomOpDomain: status(26, [buffer, buffer]), // const char* domain, OrtCustomOpDomain** out
  CustomOpDomain_Add: status(27, [pointer, buffer]), // domain, const OrtCustomOp*
  AddCustomOpDomain: status(28, [pointer, pointer]), // options, domain
  CreateRunOptions: status(39, [buffer]), // OrtRunOptions** out
  // info, void* data, size_t bytes, const int64_t* shape, size_t rank, ONNXTensorElementDataType, OrtValue** out
  CreateTensorWithDataAsOrtValue: status(49, [pointer, pointer, "usize", buffer, "usize", "i32", buffer]),
  GetTensorMutableData: status(51, [pointer, buffer]), // OrtValue*, void** out
  GetDimensionsCount: status(61, [pointer, buffer]), // const OrtTensorTypeAndShapeInfo*, size_t* out
  GetDimensions: status(62, [pointer, buffer, "usize"]), // info, int64_t* dims, size_t length
  GetTensorTypeAndShape: status(65, [pointer, buffer]), // const OrtValue*, OrtTensorTypeAndShapeInfo** out
  CreateMemoryInfo: status(68, [buffer, "i32", "i32", "i32", buffer]), // name, OrtAllocatorType, id, OrtMemType, out
  KernelInfoGetAttribute_int64: status(86, [pointer, buffer, buffer]), // const OrtKernelInfo*, name, int64_t* out
  KernelContext_GetInputCount: status(88, [pointer, buffer]), // const OrtKernelContext*, size_t* out
  KernelContext_GetInput: status(90, [pointer, "usize", buffer]), // context, index, const OrtValue** out
  // context, index, const int64_t* dims, size_t rank, OrtValue** out
  KernelContext_GetOutput: status(91, [pointer, "usize", buffer, "usize", buffer]),
  ReleaseStatus: release(93),
  ReleaseMemoryInfo: release(94),
  ReleaseSession: release(95),
  ReleaseValue: release(96),
  ReleaseRunOptions: release(97),
  ReleaseTensorTypeAndShapeInfo: release(99),
  ReleaseSessionOptions: release(100),
  ReleaseCustomOpDomain: release(101),
  CreateEnvWithGlobalThreadPools: status(119, ["i32", buffer, pointer, buffer]), // OrtLoggingLevel, logid, options, out
  DisablePerSessionThreads: status(120, [pointer]), // session options
  CreateThreadingOptions: status(121, [buffer]), // OrtThreadingOptions** out
  ReleaseThreadingOptions: release(122),
  GetAvailableProviders: status(125, [buffer, buffer]), // char*** out, int* count
  ReleaseAvailableProviders: status(126, [pointer, "i32"]), // char** list, int count
  AddSessionConfigEntry: status(130, [pointer, buffer, buffer]), // options, key, value
  CreateAllocator: status(131, [pointer, pointer, buffer]), // session, info, OrtAllocator** out
  ReleaseAllocator: release(132),
  RunWithBinding: status(133, [pointer, pointer, pointer]), // session, run options, binding
  CreateIoBinding: status(134, [pointer, buffer]), // session, OrtIoBinding** out
  ReleaseIoBinding: release(135),
  BindInput: status(136, [pointer, buffer, pointer]), // binding, name, value
  BindOutput: status(137, [pointer, buffer, pointer]), // binding, name, value
  SetGlobalIntraOpNumThreads: status(147, [pointer, "i32"]), // threading options, threads
  SetGlobalInterOpNumThreads: status(148, [pointer, "i32"]), // threading options, threads
  AddInitializer: status(150, [pointer, buffer, pointer]), // options, name, const OrtValue*
  AddRunConfigEntry: status(165, [pointer, buffer, buffer]), // run options, key, value
  SessionOptionsAppendExecutionProvider_CUDA_V2: status(204, [pointer, pointer]), // options, cuda options
  CreateCUDAProviderOptions: status(205, [buffer]), // OrtCUDAProviderOptionsV2** out
  // options, const char* const* keys, const char* const* values, size_t count
  UpdateCUDAProviderOptions: status(206, [pointer, buffer, buffer, "usize"]),
  ReleaseCUDAProviderOptions: release(208),
  KernelInfo_GetInputCount: status(230, [pointer, buffer]), // info, size_t* out
  KernelInfoGetConstantInput_tensor: status(249, [pointer, "usize", buffer, buffer]), // info, index, int* constant, value
  UpdateCUDAProviderOptionsWithValue: status(263, [pointer, buffer, pointer]), // options, key, void* value
  // const OrtKeyValuePairs*, const char* const** keys, const char* const** values, size_t* count
  GetKeyValuePairs: { index: 298, c: { parameters: [pointer, buffer, buffer, buffer], result: "void" } },
  ReleaseKeyValuePairs: release(300),
  AllocatorGetStats: status(319, [pointer, buffer]), // const OrtAllocator*, OrtKeyValuePairs** out
} as const satisfies Record<string, { index: number; c: Deno.ForeignFunction }>;

/** The callable form of {@linkcode API}. */
export type ApiFunctions = { readonly [K in keyof typeof API]: Deno.UnsafeFnPointer<(typeof API)[K]["c"]>["call"] };
