using Graphene.Runtime;

namespace Graphene.Cli.Execution;

/// <summary>Copies values into the memory of a bound call, whose element type is known only at run time.</summary>
internal static class BoundInput
{
    /// <summary>Copies a value into an input.</summary>
    public static void Fill(BoundCall call, int input, Literal value)
    {
        switch (value.DType)
        {
            case DType.Bool: Copy<bool>(call, input, value); break;
            case DType.I8: Copy<sbyte>(call, input, value); break;
            case DType.I16: Copy<short>(call, input, value); break;
            case DType.I32: Copy<int>(call, input, value); break;
            case DType.I64: Copy<long>(call, input, value); break;
            case DType.U8: Copy<byte>(call, input, value); break;
            case DType.U16: Copy<ushort>(call, input, value); break;
            case DType.U32: Copy<uint>(call, input, value); break;
            case DType.U64: Copy<ulong>(call, input, value); break;
            case DType.F16: Copy<Half>(call, input, value); break;
            case DType.BF16: Copy<BFloat16>(call, input, value); break;
            case DType.F32: Copy<float>(call, input, value); break;
            case DType.F64: Copy<double>(call, input, value); break;
            default: throw new UsageException($"inputs of type {value.DType.Name()} cannot be fed");
        }
    }

    private static void Copy<T>(BoundCall call, int input, Literal value)
        where T : unmanaged => value.As<T>().CopyTo(call.Input<T>(input));
}
