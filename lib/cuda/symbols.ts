/**
 * The functions of the CUDA runtime that this project calls (cuda_runtime_api.h; the same in CUDA 12 and 13). All
 * return a `cudaError_t` (an enum: int), 0 for success, unless noted.
 *
 * `cudaStream_t` and `cudaEvent_t` are pointers. Device addresses are `pointer`s; host memory is a `buffer` (of a typed
 * array) or a `pointer` (of pinned memory).
 */
export const CUDART_SYMBOLS = {
  cudaRuntimeGetVersion: { parameters: ["buffer"], result: "i32" }, // int* version
  cudaDriverGetVersion: { parameters: ["buffer"], result: "i32" }, // int* version
  cudaGetErrorName: { parameters: ["i32"], result: "pointer" }, // const char* (cudaError_t)
  cudaGetErrorString: { parameters: ["i32"], result: "pointer" }, // const char* (cudaError_t)
  cudaGetLastError: { parameters: [], result: "i32" }, // returns the last error and clears it

  cudaGetDeviceCount: { parameters: ["buffer"], result: "i32" }, // int* count
  cudaSetDevice: { parameters: ["i32"], result: "i32" }, // int device
  setDeviceAside: { name: "cudaSetDevice", parameters: ["i32"], result: "i32", nonblocking: true },
  cudaDeviceGetPCIBusId: { parameters: ["buffer", "i32", "i32"], result: "i32" }, // char* id, int length, int device
  cudaDeviceSynchronize: { parameters: [], result: "i32" },
  cudaMemGetInfo: { parameters: ["buffer", "buffer"], result: "i32" }, // size_t* free, size_t* total

  cudaMalloc: { parameters: ["buffer", "usize"], result: "i32" }, // void** devPtr, size_t size
  cudaFree: { parameters: ["pointer"], result: "i32" }, // void* devPtr
  cudaMallocHost: { parameters: ["buffer", "usize"], result: "i32" }, // void** ptr, size_t size
  cudaFreeHost: { parameters: ["pointer"], result: "i32" }, // void* ptr

  // void* dst, const void* src, size_t count, enum cudaMemcpyKind kind[, cudaStream_t stream]
  cudaMemcpy: { parameters: ["pointer", "pointer", "usize", "i32"], result: "i32" },
  cudaMemcpyAsync: { parameters: ["pointer", "pointer", "usize", "i32", "pointer"], result: "i32" },
  fromHost: { name: "cudaMemcpy", parameters: ["pointer", "buffer", "usize", "i32"], result: "i32" },
  fromHostAsync: {
    name: "cudaMemcpyAsync",
    parameters: ["pointer", "buffer", "usize", "i32", "pointer"],
    result: "i32",
  },
  toHost: { name: "cudaMemcpy", parameters: ["buffer", "pointer", "usize", "i32"], result: "i32" },
  toHostAsync: {
    name: "cudaMemcpyAsync",
    parameters: ["buffer", "pointer", "usize", "i32", "pointer"],
    result: "i32",
  },
  cudaMemset: { parameters: ["pointer", "i32", "usize"], result: "i32" }, // void* devPtr, int value, size_t count
  // void* devPtr, int value, size_t count, cudaStream_t stream
  cudaMemsetAsync: { parameters: ["pointer", "i32", "usize", "pointer"], result: "i32" },

  cudaStreamCreateWithFlags: { parameters: ["buffer", "u32"], result: "i32" }, // cudaStream_t* pStream, unsigned flags
  cudaStreamDestroy: { parameters: ["pointer"], result: "i32" }, // cudaStream_t stream
  cudaStreamSynchronize: { parameters: ["pointer"], result: "i32" }, // cudaStream_t stream

  cudaEventCreate: { parameters: ["buffer"], result: "i32" }, // cudaEvent_t* event
  cudaEventRecord: { parameters: ["pointer", "pointer"], result: "i32" }, // cudaEvent_t event, cudaStream_t stream
  cudaEventSynchronize: { parameters: ["pointer"], result: "i32" }, // cudaEvent_t event
  cudaEventElapsedTime: { parameters: ["buffer", "pointer", "pointer"], result: "i32" }, // float* ms, start, end
  cudaEventDestroy: { parameters: ["pointer"], result: "i32" }, // cudaEvent_t event
} as const satisfies Deno.ForeignLibraryInterface;

/** `enum cudaMemcpyKind` (driver_types.h). */
export const MemcpyKind = { hostToDevice: 1, deviceToHost: 2, deviceToDevice: 3 } as const;

/** `cudaStreamNonBlocking` (driver_types.h): the stream and the default one do not wait for each other. */
export const STREAM_NON_BLOCKING = 1;
