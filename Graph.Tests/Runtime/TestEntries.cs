using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Graphene.Runtime;

namespace Graphene.Tests.Runtime;

/// <summary>Entry functions written in C# and plans that fit them: what a compiler makes, without one.</summary>
internal static unsafe class TestEntries
{
    public static readonly DimSymbol Batch = new("batch", 1, 1000);

    /// <summary>y = 2 * x + c over f32[batch,3], through a temporary buffer that holds 2 * x; c is a constant
    /// f32[3].</summary>
    public static Executable ScaleAndAdd()
    {
        var constants = new ConstantWriter();
        constants.Add(new byte[5]); // so that what follows does not lie at 0
        long offset = constants.Add(MemoryMarshal.AsBytes((float[])[10, 20, 30]).ToArray());
        Dim bytes = (Dim)Batch * 12;
        var type = new TensorType(DType.F32, [Batch, 3]);
        return Executable.Create(
            Plan("scale-and-add") with
            {
                Symbols = [Batch],
                Inputs = [new InputSpec("x", type)],
                Outputs = [new OutputSpec("y", type, 3)],
                Buffers =
                [
                    BufferSpec.Parameter(0, bytes), BufferSpec.Constant(offset, 12), BufferSpec.Temp(bytes, 0, 1),
                    BufferSpec.Result(0, bytes),
                ],
            },
            [],
            constants.ToData());
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int RunScaleAndAdd(NativeContext* context)
    {
        var x = (float*)context->Buffers[0];
        var c = (float*)context->Buffers[1];
        var t = (float*)context->Buffers[2];
        var y = (float*)context->Buffers[3];
        long count = context->Symbols[0] * 3;
        for (long i = 0; i < count; i++)
        {
            t[i] = 2 * x[i];
        }
        for (long i = 0; i < count; i++)
        {
            y[i] = t[i] + c[i % 3];
        }
        return (int)context->Error;
    }

    /// <summary>Two inputs i32[4] that are outputs as well, beside a constant and part of the first input.</summary>
    public static Executable Forward()
    {
        var constants = new ConstantWriter();
        constants.Add(MemoryMarshal.AsBytes((int[])[7, 8, 9, 10]).ToArray());
        var type = new TensorType(DType.I32, [4]);
        var half = new TensorType(DType.I32, [2]);
        return Executable.Create(
            Plan("forward") with
            {
                Inputs = [new InputSpec("a", type), new InputSpec("b", type, DefaultBuffer: 2)],
                Outputs =
                [
                    new OutputSpec("b2", type, 1), new OutputSpec("a2", type, 0), new OutputSpec("c", type, 2),
                    new OutputSpec("half", half, 3), new OutputSpec("a3", type, 0),
                ],
                Buffers =
                [
                    BufferSpec.Parameter(0, 16), BufferSpec.Parameter(1, 16), BufferSpec.Constant(0, 16), BufferSpec.Alias(0, 8, 8),
                ],
            },
            [],
            constants.ToData());
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int DoNothing(NativeContext* context) => 0;

    /// <summary>A graph without inputs and outputs, for entries that only end in some way.</summary>
    public static Executable Empty() => Executable.Create(
        Plan("empty") with
        {
            NativeChecks = ["index 3 of gather, built in Model.cs:7"],
            Buffers = [BufferSpec.Temp(64, 0, 0)],
            HostCalls =
            [
                new HostCallSpec(HostCallKind.Print, "x is", [new TensorType(DType.F32, [2])]),
                new HostCallSpec(HostCallKind.Assert, "x must be small", [TensorType.Scalar(DType.Bool)], "Model.cs:9"),
            ],
        },
        []);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int WaitForCancellation(NativeContext* context)
    {
        while (Volatile.Read(ref *context->Cancel) == 0)
        {
            Thread.Sleep(1);
        }
        context->Error = NativeError.Cancelled;
        return (int)context->Error;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int FailCheck(NativeContext* context)
    {
        context->ErrorDetail = 0;
        context->Error = NativeError.CheckFailed;
        return (int)context->Error;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int PrintAndAssert(NativeContext* context)
    {
        float* x = stackalloc float[] { 1.5f, -2 };
        byte no = 0;
        void** arguments = stackalloc void*[] { x };
        context->HostCall(context, 0, arguments);
        arguments[0] = &no;
        context->HostCall(context, 1, arguments);
        return (int)context->Error;
    }

    public static NativeProgram Program(Executable executable, delegate* unmanaged[Cdecl]<NativeContext*, int> entry) =>
        NativeProgram.FromEntry(executable, new NativeEntry((nint)entry));

    public static ExecutablePlan Plan(string name) => new()
    {
        Name = name,
        CompilerVersion = "test 1",
        TargetTriple = "x86_64-unknown-linux-elf",
        CpuFeatures = "+avx2,+fma",
        EntrySymbol = "entry",
    };

    /// <summary>A plan that uses every part of the format.</summary>
    public static ExecutablePlan FullPlan()
    {
        DimSymbol sequence = new("seq", 0, 4096);
        Dim elements = Dim.CeilDiv((Dim)Batch * sequence, 8) * 8;
        var type = new TensorType(DType.BF16, [Batch, (2 * (Dim)sequence) + 1]);
        return Plan("every part") with
        {
            Symbols = [sequence, Batch],
            Inputs = [new InputSpec("α", type), new InputSpec("flag", TensorType.Scalar(DType.Bool), 2)],
            Outputs = [new OutputSpec("out", type, 1), new OutputSpec("copy", TensorType.Scalar(DType.Bool), 2)],
            Buffers =
            [
                BufferSpec.Parameter(0, type.SizeInBytes),
                BufferSpec.Result(0, type.SizeInBytes),
                BufferSpec.Constant(64, 1),
                BufferSpec.Temp(elements * 4, 3, 9),
                BufferSpec.Alias(3, Dim.Min(Batch, 4) * 4, Dim.Max(Batch, sequence)),
            ],
            Checks = [new ShapeCheck(new DimCheck(Batch, DimRelation.AtMost, (Dim)sequence * 2), "%5 = concatenate")],
            NativeChecks = ["gather index"],
            HostCalls =
            [
                new HostCallSpec(HostCallKind.Print, "values", [type, TensorType.Scalar(DType.I64)], "Model.cs:41"),
                new HostCallSpec(HostCallKind.Assert, "positive", [TensorType.Scalar(DType.Bool)]),
            ],
            Kernels = [new KernelSpec("k0", "%3 = add", elements, elements * 12)],
        };
    }

    public static ConstantData FullConstants()
    {
        var constants = new ConstantWriter();
        constants.Add(new byte[] { 1, 2, 3 });
        constants.Add(new byte[] { 1 });
        return constants.ToData();
    }

    public static ImmutableArray<ObjectCode> FullObjects() =>
        [new ObjectCode("kernels", new byte[] { 1, 2, 3, 4 }), new ObjectCode("entry", new byte[1000])];
}
