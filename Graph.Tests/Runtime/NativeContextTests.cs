using System.Runtime.InteropServices;
using Graphene.Runtime;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class NativeContextTests
{
    private static readonly TestCaseData[] Fields =
    [
        new(nameof(NativeContext.Buffers), 0),
        new(nameof(NativeContext.Symbols), 8),
        new(nameof(NativeContext.ParallelFor), 16),
        new(nameof(NativeContext.Pool), 24),
        new(nameof(NativeContext.Cancel), 32),
        new(nameof(NativeContext.Threads), 40),
        new(nameof(NativeContext.Error), 44),
        new(nameof(NativeContext.ErrorDetail), 48),
        new(nameof(NativeContext.HostCall), 56),
        new(nameof(NativeContext.Host), 64),
    ];

    [TestCaseSource(nameof(Fields))]
    public void FieldLiesWhereCompiledCodeLooksForIt(string field, int offset) =>
        Assert.That(Marshal.OffsetOf<NativeContext>(field).ToInt32(), Is.EqualTo(offset));

    [Test]
    public unsafe void ContextIsSeventyTwoBytes() => Assert.That(sizeof(NativeContext), Is.EqualTo(72));

    [Test]
    public unsafe void EntryIsCalledWithTheContextAndItsResultComesBack()
    {
        delegate* unmanaged[Cdecl]<NativeContext*, int> address = &FailWithDetail;
        var entry = new NativeEntry((nint)address);
        NativeContext context = default;
        Assert.That(entry.Invoke(&context), Is.EqualTo(NativeError.HostCallFailed));
        Assert.That(context.ErrorDetail, Is.EqualTo(42));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static unsafe int FailWithDetail(NativeContext* context)
    {
        context->ErrorDetail = 42;
        return (int)NativeError.HostCallFailed;
    }
}
