using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr;

/// <summary>Kernels that lowering must not write are refused, with the statement that is wrong.</summary>
internal sealed class KernelVerifierTests
{
    private static readonly KBuffer X = KBuffer.ForArgument("x", DType.F32, 0, isReadOnly: true);
    private static readonly KBuffer Y = KBuffer.ForArgument("y", DType.F32, 1, isReadOnly: false);
    private static readonly KExpr One = new KConstant(Scalar.One(DType.F32), 1);
    private static readonly KExpr Vector = new KConstant(Scalar.One(DType.F32), 8);

    private static IEnumerable<TestCaseData> Malformed()
    {
        var outside = new KVariable("v", KType.Index);
        var register = new KRegister("r", KType.Index);
        KBuffer scratch = KBuffer.Scratch("s", DType.F32, 8);
        yield return Case("'v' is not visible here in store(y, undeclared, f32 1)", new KStore(Y, outside, One));
        yield return Case("'r' is not visible here", new KAssign(register, 0));
        yield return Case("'s' is not visible here", new KStore(scratch, 0, One));
        yield return Case("'z' is not visible here", new KStore(KBuffer.ForArgument("z", DType.F32, 2, false), 0, One));
        yield return Case(
            "'v' is not visible here in store(y, v, f32 1)",
            new KFor(outside, 0, 8, 1, new KBlock([])), new KStore(Y, outside, One));
        yield return Case(
            "'v' is declared while it is visible already", new KLet(outside, 1), new KLet(outside, 2));
        yield return Case("x is read-only in store(x, 0, f32 1)", new KStore(X, 0, One));
        yield return Case("the index is f32, not i64", new KStore(Y, One, One));
        yield return Case("the stored value is i64, not f32", new KStore(Y, 0, (KExpr)1));
        yield return Case("the mask is boolx4, not boolx8", new KStore(Y, 0, Vector, Truth(4)));
        yield return Case("the value is f32x8, not i64", new KLet(outside, Vector));
        yield return Case("the condition is boolx4, not bool", new KIf(Truth(4), new KBlock([])));
        yield return Case("elements", new KScratch(scratch), new KStore(scratch, 1, Vector));
        yield return Case("complex", new KLet(new KVariable("c", new(DType.C64)), new KConvert(One, DType.C64)));
        yield return Case("different types", new KStore(Y, 0, new KCall(ScalarOp.Add, new List<KExpr> { One, Vector }.ToValueList())));
        yield return Case("Not has no meaning for f32", new KStore(Y, 0, new KCall(ScalarOp.Not, new List<KExpr> { One }.ToValueList())));
        yield return Case("a scalar is broadcast, not f32x8", new KStore(Y, 0, new KBroadcast(Vector, 16)));
        yield return Case("f32 and i64 are not of one width", new KStore(Y, new KBitcast(One, DType.I64), One));
        yield return Case("the other value is f32, not f32x8", new KStore(Y, 0, new KSelect(Truth(8), Vector, One)));
        yield return Case("a streaming store has no mask", new KStore(Y, 0, Vector, Truth(8), IsStreaming: true));
        yield return Case("s is scratch, which is read soon", new KScratch(scratch), new KStore(scratch, 0, Vector, IsStreaming: true));
        yield return Case("'s' is not visible here in prefetch(undeclared, 0)", new KPrefetch(scratch, 0));
        yield return Case("the index is f32, not i64", new KPrefetch(X, One));
        yield return Case("the step is 0", new KFor(outside, 0, 8, 0, new KBlock([])));
    }

    [TestCaseSource(nameof(Malformed))]
    public void MalformedKernelsAreRefused(string message, KStmt[] statements)
    {
        var kernel = new Kernel("bad", [X, Y], new KVariable("t", KType.Index), 1, new KBlock(statements), default);

        var error = Assert.Throws<CompilerBugException>(() => KernelVerifier.Verify(kernel));

        Assert.That(error!.Message, Does.Contain(message).And.Contain("kernel 'bad'"));
    }

    [Test]
    public void ArgumentsAreWhereTheySay()
    {
        var kernel = new Kernel("bad", [Y, X], new KVariable("t", KType.Index), 1, new KBlock([]), default);

        Assert.That(() => KernelVerifier.Verify(kernel), Throws.TypeOf<CompilerBugException>());
    }

    [Test]
    public void BlocksOfAnyDepthAreRefusedWithoutOverflow()
    {
        KStmt nested = new KStore(Y, 0, One);
        for (int i = 0; i < 100_000; i++)
        {
            nested = new KIf(Truth(1), new KBlock([nested]));
        }

        var kernel = new Kernel("deep", [X, Y], new KVariable("t", KType.Index), 1, new KBlock([nested]), default);

        Assert.That(() => KernelVerifier.Verify(kernel), Throws.TypeOf<CompilerBugException>().With.Message.Contains("nested"));
    }

    [Test]
    public void TheInterpreterNoticesAccessesOutside()
    {
        var kernel = new Kernel(
            "outside", [X, Y], new KVariable("t", KType.Index), 1, new KBlock([new KStore(Y, 0, new KLoad(X, 4, 8))]), default);
        var interpreter = new KernelInterpreter(kernel, [new byte[44], new byte[32]]);

        Assert.That(interpreter.Run, Throws.TypeOf<CompilerBugException>().With.Message.Contains("load of element 11 of x[11]"));
    }

    private static KConstant Truth(int lanes) => new(Scalar.FromBits(DType.Bool, 1), lanes);

    private static TestCaseData Case(string message, params KStmt[] statements) =>
        new TestCaseData(message, statements).SetArgDisplayNames(message);
}
