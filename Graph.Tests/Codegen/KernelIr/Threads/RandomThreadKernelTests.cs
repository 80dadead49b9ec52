using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Threads in step do what threads one at a time do, bit for bit; and threads that are tasks do what tasks do.</summary>
internal sealed class RandomThreadKernelTests
{
    [Test]
    public void ThreadsInStepDoWhatThreadsOneAtATimeDo([Range(0, 24)] int seed) => CompareThreads(seed);

    [Test]
    public void ThreadsDoWhatTasksDo([Range(0, 14)] int seed) => CompareTasks(seed);

    [Test]
    [Explicit("minutes")]
    public void ManyDo([Range(0, 19)] int part)
    {
        for (int seed = 1000 + (100 * part); seed < 1100 + (100 * part); seed++)
        {
            CompareThreads(seed);
            CompareTasks(seed);
        }
    }

    [Test]
    public void TheyAreReadBack([Range(0, 24)] int seed)
    {
        string text = KernelPrinter.Print(RandomThreadKernel.Generate(seed));
        Kernel again = KernelParser.Parse(text);

        Assert.That(KernelPrinter.Print(again), Is.EqualTo(text));
        KernelVerifier.Verify(again);
    }

    private static void CompareThreads(int seed)
    {
        Kernel kernel = RandomThreadKernel.Generate(seed);
        byte[][] buffers = Buffers(kernel, seed, RandomThreadKernel.Tasks * RandomThreadKernel.Threads * RandomThreadKernel.Count);
        byte[][] expected = Array.ConvertAll(buffers, b => (byte[])b.Clone());
        ThreadReference.Run(kernel, Array.ConvertAll(expected, b => (Memory<byte>)b), RandomThreadKernel.Tasks, seed);

        new KernelInterpreter(kernel, Array.ConvertAll(buffers, b => (Memory<byte>)b)).Run();

        AssertSame(kernel, buffers, expected, seed);
    }

    private static void CompareTasks(int seed)
    {
        const int tasks = 40;
        Kernel kernel = RandomKernel.Generate(seed) with { TaskCount = tasks };
        byte[][] buffers = Buffers(kernel, seed, tasks * RandomKernel.Count);
        byte[][] expected = Array.ConvertAll(buffers, b => (byte[])b.Clone());
        new KernelInterpreter(kernel, Array.ConvertAll(expected, b => (Memory<byte>)b)).Run();

        Kernel threads = ThreadPerTask.Of(new LoweredKernel(kernel, [])).Kernel;
        new KernelInterpreter(threads, Array.ConvertAll(buffers, b => (Memory<byte>)b)).Run();

        AssertSame(threads, buffers, expected, seed);
    }

    private static byte[][] Buffers(Kernel kernel, int seed, int results)
    {
        var random = new Random(seed);
        return [.. kernel.Arguments.Select(a => SampleBits.Array(random, a.Element, a.IsReadOnly ? RandomKernel.OperandLength : results))];
    }

    private static void AssertSame(Kernel kernel, byte[][] actual, byte[][] expected, int seed)
    {
        for (int i = 0; i < actual.Length; i++)
        {
            DType type = kernel.Arguments[i].Element;
            int at = SampleBits.FirstDifference(type, actual[i], expected[i]);
            if (at >= 0)
            {
                Scalar value = SampleBits.Value(type, actual[i], at);
                Scalar right = SampleBits.Value(type, expected[i], at);
                Assert.Fail($"seed {seed}: {kernel.Arguments[i]}[{at}] is {value}, not {right}\n{KernelPrinter.Print(kernel)}");
            }
        }
    }
}
