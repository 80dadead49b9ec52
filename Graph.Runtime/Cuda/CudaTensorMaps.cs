using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>Lets the driver encode tensor maps.</summary>
/// <remarks>
/// A map is 128 bytes that only the driver can write, for one address, with sizes and strides (CUDA driver API,
/// cuTensorMapEncodeTiled; since CUDA 12.0). Kernels are passed it by value. Where a tensor has no elements it is never
/// used, and is all zeros, since the driver encodes none of nothing.
/// </remarks>
internal static unsafe class CudaTensorMaps
{
    private const int Alignment = 64;

    /// <summary>The bytes that some maps take, wherever they begin.</summary>
    public static int BytesOf(int maps) => maps == 0 ? 0 : (maps * sizeof(CUtensorMap)) + Alignment;

    /// <summary>The first place for a map in memory that was taken for some; null for none.</summary>
    public static CUtensorMap* Align(byte* memory) => (CUtensorMap*)(((nuint)memory + Alignment - 1) & ~(nuint)(Alignment - 1));

    /// <summary>Encodes a map.</summary>
    /// <param name="device">The device whose memory it is about.</param>
    /// <param name="bound">The map.</param>
    /// <param name="to">Where it goes: at a multiple of 64 bytes.</param>
    /// <exception cref="GraphException">GR6508: the driver is too old. GR6502: it does not take the map.</exception>
    public static void Encode(CudaDevice device, BoundMap bound, CUtensorMap* to)
    {
        *to = default;
        if (bound.Sizes.Contains(0))
        {
            return;
        }
        if (device.Driver.cuTensorMapEncodeTiled is null)
        {
            throw Missing(device.Name);
        }
        int rank = bound.Sizes.Length;
        ulong* sizes = stackalloc ulong[GpuTensorMap.MostDimensions];
        ulong* strides = stackalloc ulong[GpuTensorMap.MostDimensions];
        uint* box = stackalloc uint[GpuTensorMap.MostDimensions];
        uint* steps = stackalloc uint[GpuTensorMap.MostDimensions];
        for (int d = 0; d < rank; d++)
        {
            sizes[d] = (ulong)bound.Sizes[d];
            strides[d] = d < rank - 1 ? (ulong)bound.StridesInBytes[d] : 0;
            box[d] = (uint)bound.Map.Box[d];
            steps[d] = 1;
        }
        CUResult result = device.Driver.cuTensorMapEncodeTiled(
            to, TypeOf(bound.Map), (uint)rank, (void*)bound.Address, sizes, strides, box, steps, CUtensorMapInterleave.None,
            bound.Map.IsSwizzled ? CUtensorMapSwizzle.Swizzle128B : CUtensorMapSwizzle.None, CUtensorMapL2promotion.L2Bytes256,
            CUtensorMapFloatOOBfill.None);
        device.Check(
            result, "cuTensorMapEncodeTiled",
            $"a tensor of [{string.Join(", ", bound.Sizes)}] {bound.Map.Element.Name()} with strides of "
                + $"[{string.Join(", ", bound.StridesInBytes)}] bytes at {bound.Address:x}, boxes of [{string.Join(", ", bound.Map.Box)}]");
    }

    /// <summary>The driver of a device is too old for tensor maps.</summary>
    public static GraphException Missing(string device) => new(
        GpuDiagnostics.NoTensorMaps, $"the CUDA driver of {device} cannot encode tensor maps",
        why: "the code copies with them, which drivers can since the branch 525 (CUDA 12.0)",
        fix: "install a newer driver, or compile for sm_90 instead of sm_90a");

    private static CUtensorMapDataType TypeOf(GpuTensorMap map) => map.Element switch
    {
        DType.F32 when map.RoundsToTensorFloat32 => CUtensorMapDataType.TFloat32,
        DType.F32 => CUtensorMapDataType.Float32,
        DType.F16 => CUtensorMapDataType.Float16,
        DType.BF16 => CUtensorMapDataType.BFloat16,
        DType.F64 => CUtensorMapDataType.Float64,
        DType.I8 or DType.U8 => CUtensorMapDataType.UInt8,
        DType.I16 or DType.U16 => CUtensorMapDataType.UInt16,
        DType.I32 or DType.U32 => CUtensorMapDataType.UInt32,
        _ => CUtensorMapDataType.UInt64,
    };
}
