using System.Text;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Loading;

/// <summary>Objects made by LLVM are loaded and called.</summary>
internal sealed unsafe class LoadedCodeTests
{
    [Test]
    public void AVectorKernelComputesWholeVectorsAndTail([Values(0, 1, 7, 8, 9, 64, 1003)] int n)
    {
        using LoadedCode code = Load(SampleIr.Saxpy);
        var saxpy = (delegate* unmanaged<float*, float*, float, long, void>)code.GetFunction("saxpy");
        float[] x = [.. Enumerable.Range(0, n + 1).Select(i => i * 0.37f)];
        float[] y = [.. Enumerable.Range(0, n + 1).Select(i => 5 - (i * 0.11f))];
        float[] expected = [.. x.Zip(y, (a, b) => MathF.FusedMultiplyAdd(1.7f, a, b))];
        expected[n] = y[n];

        fixed (float* px = x, py = y)
        {
            saxpy(px, py, 1.7f, n);
        }

        Assert.That(y, Is.EqualTo(expected));
    }

    [Test]
    public void ConstantsInReadOnlyDataAreFound()
    {
        using LoadedCode code = Load(SampleIr.Polynomial);
        var polynomial = (delegate* unmanaged<double, double>)code.GetFunction("polynomial");
        Assert.That(polynomial(2), Is.EqualTo((((((((8.0 * 2) + 0.25) * 2) - 3.5) * 2) + 2) * 2) + 1));
        Assert.That(polynomial(0), Is.EqualTo(1.0));
    }

    [Test]
    public void JumpTablesLeadToTheRightPlace()
    {
        using LoadedCode code = Load(SampleIr.JumpTable, new LlvmCompilerOptions { Passes = LlvmPipelines.None });
        var choose = (delegate* unmanaged<long, long, long>)code.GetFunction("choose");
        long[] results = [.. Enumerable.Range(-1, 7).Select(i => choose(i, 9))];
        Assert.That(results, Is.EqualTo(new long[] { -1, 109, 81, -2, 9 ^ 255, 72, -1 }));
    }

    [Test]
    public void TheCLibraryIsCalledThroughAStub()
    {
        using LoadedCode code = Load(SampleIr.Copy);
        var copy = (delegate* unmanaged<byte*, byte*, long, void>)code.GetFunction("copy");
        byte[] from = Encoding.ASCII.GetBytes("bytes that memcpy moves, more than fit into one register");
        byte[] to = new byte[from.Length + 1];
        fixed (byte* pFrom = from, pTo = to)
        {
            copy(pTo, pFrom, from.Length);
        }

        Assert.That(to, Is.EqualTo(from.Append((byte)0)));
    }

    [Test]
    public void FloatingRemainderComesFromTheCLibrary()
    {
        using LoadedCode code = Load("""
            define double @remainder(double %x, double %y) nounwind {
              %r = frem double %x, %y
              ret double %r
            }
            """);
        var remainder = (delegate* unmanaged<double, double, double>)code.GetFunction("remainder");
        Assert.That(remainder(-7.5, 2), Is.EqualTo(-7.5 % 2));
    }

    [Test]
    public void ObjectsCallEachOtherAndShareVariables([Values] bool calleeFirst)
    {
        byte[] caller = LlvmCompiler.Compile(SampleIr.Caller, LlvmTarget.Host());
        byte[] callee = LlvmCompiler.Compile(SampleIr.Callee, LlvmTarget.Host());
        using LoadedCode code = LoadedCode.Load(calleeFirst ? [callee, caller] : [caller, callee]);
        var call = (delegate* unmanaged<long, long>)code.GetFunction("caller");

        // scratch starts as zero and remembers the last argument; counter starts at 40 and grows by 2.
        Assert.That(call(10), Is.EqualTo(20 + 42));
        Assert.That(call(1), Is.EqualTo(2 + 10 + 44));
        Assert.That(code.FunctionNames, Is.EquivalentTo(new[] { "caller", "twice" }));
    }

    [Test]
    public void TwoDefinitionsOfANameAreRefusedUnlessOneIsWeak()
    {
        byte[] strong = LlvmCompiler.Compile("define i64 @f() { ret i64 1 }", LlvmTarget.Host());
        byte[] weak = LlvmCompiler.Compile("define weak i64 @f() { ret i64 2 }", LlvmTarget.Host());

        var refused = Assert.Throws<ObjectLoadException>(() => LoadedCode.Load([strong, strong], ["a.o", "b.o"]))!;
        Assert.That(refused.ObjectName, Is.EqualTo("b.o"));
        Assert.That(refused.Problem, Is.EqualTo("'f' is also defined in 'a.o'"));
        foreach (ReadOnlyMemory<byte>[] objects in new ReadOnlyMemory<byte>[][] { [weak, strong], [strong, weak] })
        {
            using LoadedCode code = LoadedCode.Load(objects);
            Assert.That(((delegate* unmanaged<long>)code.GetFunction("f"))(), Is.EqualTo(1));
        }
    }

    [Test]
    public void OnlyListedFunctionsOfTheCLibraryAreVisible()
    {
        byte[] code = LlvmCompiler.Compile(
            "declare i32 @system(ptr)\ndefine i32 @f(ptr %p) { %r = call i32 @system(ptr %p) ret i32 %r }",
            LlvmTarget.Host());
        var refused = Assert.Throws<ObjectLoadException>(() => LoadedCode.Load(code))!;
        Assert.That(refused.Problem, Is.EqualTo("nothing defines 'system'"));
    }

    [Test]
    public void EveryListedFunctionOfTheCLibraryExists()
    {
        string[] names = ["memcpy", "memmove", "memset", "fmod", "fmodf", "fma", "fmaf", "rint", "rintf", "roundevenf"];
        Assert.That(names.Select(ExternalFunctions.Resolve), Has.None.EqualTo((nint)0));
        Assert.That(() => ExternalFunctions.Resolve("exit"), Throws.TypeOf<ObjectLoadException>());
    }

    [Test]
    public void ThreadLocalVariablesAreRefused()
    {
        byte[] code = LlvmCompiler.Compile(
            "@v = thread_local global i64 1\ndefine i64 @f() { %r = load i64, ptr @v ret i64 %r }", LlvmTarget.Host());
        Assert.That(() => LoadedCode.Load(code), Throws.TypeOf<ObjectLoadException>());
    }

    [Test]
    public void CodeForAnotherProcessorIsRefused()
    {
        LlvmTarget other = LlvmTarget.Host().Architecture == LlvmArchitecture.X64 ? LlvmTarget.Arm64 : LlvmTarget.X64;
        byte[] code = LlvmCompiler.Compile("define i64 @f() { ret i64 1 }", other);
        var refused = Assert.Throws<ObjectLoadException>(() => LoadedCode.Load(code))!;
        Assert.That(refused.Problem, Does.StartWith("it is for ").And.Contain("this process runs on"));
    }

    [Test]
    public void DisposedCodeCannotBeAskedForFunctions()
    {
        LoadedCode code = Load(SampleIr.Polynomial);
        Assert.That(() => code.GetFunction("nothing"), Throws.TypeOf<KeyNotFoundException>());
        code.Dispose();
        Assert.That(() => code.GetFunction("polynomial"), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void PagesWithCodeAreNeverWritable()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("reads /proc/self/maps");
        }

        using LoadedCode code = Load(SampleIr.Polynomial);
        ulong address = (ulong)code.GetFunction("polynomial");
        string line = File.ReadLines("/proc/self/maps").First(l => Contains(l, address));
        Assert.That(line.Split(' ')[1], Is.EqualTo("r-xp"));

        static bool Contains(string line, ulong address)
        {
            string[] range = line.Split(' ')[0].Split('-');
            return Convert.ToUInt64(range[0], 16) <= address && address < Convert.ToUInt64(range[1], 16);
        }
    }

    private static LoadedCode Load(string ir, LlvmCompilerOptions? options = null) =>
        LoadedCode.Load(LlvmCompiler.Compile(ir, LlvmTarget.Host(), options));
}
