using System.Buffers.Binary;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime;

public sealed class ExecutableFormatTests : FolderFixture
{
    private string FilePath => Folder.Combine("model.graphene");

    [Test]
    public void WhatIsWrittenIsReadBack()
    {
        byte[] first = Write(Full());
        using Executable read = Executable.Read(FilePath);
        Assert.That(read.Plan.Name, Is.EqualTo("every part"));
        Assert.That(read.Plan.Symbols.Select(s => $"{s.Name} {s.Min} {s.Max}"), Is.EqualTo(new[] { "seq 0 4096", "batch 1 1000" }));
        Assert.That(read.Plan.Inputs.Select(i => $"{i}"), Is.EqualTo(TestEntries.FullPlan().Inputs.Select(i => $"{i}")));
        Assert.That(read.Plan.Outputs.Select(o => $"{o}"), Is.EqualTo(TestEntries.FullPlan().Outputs.Select(o => $"{o}")));
        Assert.That(read.Plan.Buffers, Is.EqualTo(TestEntries.FullPlan().Buffers));
        Assert.That(read.Plan.Checks, Is.EqualTo(TestEntries.FullPlan().Checks));
        Assert.That(read.Plan.Kernels, Is.EqualTo(TestEntries.FullPlan().Kernels));
        Assert.That(read.Plan.HostCalls[0].Origin, Is.EqualTo("Model.cs:41"));
        Assert.That(read.Objects.Select(o => o.Name), Is.EqualTo(new[] { "kernels", "entry" }));
        Assert.That(read.Objects[0].Bytes.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
        Assert.That(read.Constants.Bytes(0, 3).ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        using var again = new MemoryStream();
        read.Write(again);
        Assert.That(again.ToArray(), Is.EqualTo(first), "the same executable gives the same bytes");
    }

    [Test]
    public unsafe void ConstantsAreMappedWhereTheyLie()
    {
        Write(Full());
        using Executable read = Executable.Read(FilePath);
        Assert.That((ulong)read.Constants.Pointer % 4096, Is.Zero);
    }

    [Test]
    public void AnExecutableWithoutCodeAndConstantsIsAFileToo()
    {
        Write(Executable.Create(TestEntries.Plan("nothing"), []));
        using Executable read = Executable.Read(FilePath);
        Assert.That(read.Constants.Length, Is.Zero);
        Assert.That(read.Objects, Is.Empty);
    }

    [Test]
    public void EveryTruncatedFileIsRefused()
    {
        byte[] bytes = Write(Full());
        for (int length = 0; length < bytes.Length; length += length < 320 ? 3 : 61)
        {
            AssertRefused(bytes.AsSpan(0, length), $"{length} bytes");
        }
    }

    [Test]
    public void EveryChangedByteIsNoticed()
    {
        byte[] bytes = Write(Full());
        for (int i = 0; i < bytes.Length; i += i < 320 ? 1 : 17)
        {
            bytes[i] ^= 0x41;
            AssertRefused(bytes, $"byte {i}");
            bytes[i] ^= 0x41;
        }
    }

    [Test]
    public void PlansWithRandomChangesAreRefusedOrReadButNeverCrash([Range(1, 20)] int seed)
    {
        byte[] plan = PlanWriter.Write(TestEntries.FullPlan(), TestEntries.FullObjects());
        var random = new Random(seed);
        int refused = 0;
        for (int round = 0; round < 400; round++)
        {
            byte[] changed = [.. plan];
            for (int n = random.Next(1, 4); n > 0; n--)
            {
                int at = random.Next(changed.Length);
                changed[at] = random.Next(3) switch { 0 => 0xFF, 1 => 0x7F, _ => (byte)random.Next(256) };
            }
            try
            {
                ExecutablePlan read = PlanReader.Read(changed, out _);
                if (PlanVerifier.Check(read, 128) is not null)
                {
                    refused++;
                }
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }
        Assert.That(refused, Is.GreaterThan(100));
    }

    [Test]
    public void DimensionsThatExplodeAreRefusedSoon()
    {
        // (s0 + s1 + ... + s9) multiplied by itself again and again: the polynomial would have millions of terms.
        DimSymbol[] symbols = [.. Enumerable.Range(0, 10).Select(i => new DimSymbol($"symbol{i}", 1, 10))];
        Dim sum = symbols.Aggregate((Dim)0, (total, s) => total + s);
        byte[] plan = PlanWriter.Write(
            TestEntries.Plan("p") with { Symbols = [.. symbols], Kernels = [new KernelSpec("k", "k", sum, 7)] }, []);
        int start = plan.AsSpan().LastIndexOf(new byte[] { 0, 7, 0, 0, 0, 0, 0, 0, 0 }) - 4;
        int sumStart = start - 4 - (19 * 9);
        byte[] sumSteps = plan[(sumStart + 4)..start];
        var bomb = new List<byte>(sumSteps);
        int steps = 19;
        for (int i = 0; i < 40; i++)
        {
            bomb.AddRange(sumSteps);
            bomb.AddRange([(byte)DimCode.Multiply, 0, 0, 0, 0, 0, 0, 0, 0]);
            steps += 20;
        }
        byte[] hostile = [.. plan[..start], .. BitConverter.GetBytes(steps), .. bomb];
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var error = Assert.Throws<InvalidDataException>(() => PlanReader.Read(hostile, out _));
        Assert.That(error!.Message, Does.Contain("too complicated"));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(5)));
    }

    [Test]
    public void PlansThatContradictThemselvesAreRefused()
    {
        ExecutablePlan plan = TestEntries.FullPlan();
        var type = new TensorType(DType.F32, [8]);
        (ExecutablePlan Plan, string Problem)[] cases =
        [
            (plan with { EntrySymbol = "" }, "no name"),
            (plan with { Inputs = [plan.Inputs[0], plan.Inputs[0]] }, "two inputs"),
            (plan with { Outputs = [plan.Outputs[0] with { Buffer = 99 }] }, "no buffer 99"),
            (plan with { Outputs = [new OutputSpec("out", type, 1)] }, "takes 32 bytes"),
            (plan with { Inputs = [plan.Inputs[0], plan.Inputs[1] with { DefaultBuffer = 3 }] }, "default"),
            (plan with { Buffers = plan.Buffers.Add(BufferSpec.Constant(64, 100)) }, "constants"),
            (plan with { Buffers = plan.Buffers.Add(BufferSpec.Constant(32, 1)) }, "constants"),
            (plan with { Buffers = plan.Buffers.Add(BufferSpec.Constant(-64, 1)) }, "constants"),
            (plan with { Buffers = plan.Buffers.SetItem(0, BufferSpec.Parameter(0, 8)) }, "its input"),
            (plan with { Buffers = plan.Buffers.SetItem(0, BufferSpec.Parameter(5, 8)) }, "no input 5"),
            (plan with { Buffers = plan.Buffers.SetItem(3, BufferSpec.Temp(8, 3, 1)) }, "lives from"),
            (plan with { Buffers = plan.Buffers.SetItem(3, BufferSpec.Temp(8, 0, 1, 3)) }, "arena offset"),
            (plan with { Buffers = plan.Buffers.Add(BufferSpec.Temp(8, 0, 1, 64)) }, "some have none"),
            (plan with { Buffers = plan.Buffers.Add(BufferSpec.Alias(4, 0, 0)) }, "no parts"),
            (plan with { Buffers = plan.Buffers.Add(BufferSpec.Alias(2, 1, 1)) }, "do not lie"),
            (plan with { HostCalls = [new HostCallSpec(HostCallKind.Assert, "", [])] }, "no condition"),
        ];
        Assert.That(PlanVerifier.Check(plan, 65), Is.Null);
        foreach (var (changed, problem) in cases)
        {
            Assert.That(PlanVerifier.Check(changed, 65), Does.Contain(problem));
        }
        Assert.Throws<CompilerBugException>(() => Executable.Create(cases[0].Plan, []));
    }

    [Test]
    public void AFailedWriteLeavesTheOldFile()
    {
        File.WriteAllText(FilePath, "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(FilePath, stream =>
        {
            stream.WriteByte(1);
            throw new InvalidOperationException("the disk is full");
        }));
        Assert.That(File.ReadAllText(FilePath), Is.EqualTo("old"));
        Assert.That(Directory.GetFiles(Folder.Path), Has.Length.EqualTo(1), "nothing temporary is left");
    }

    [TestCase(0)]
    [TestCase(63)]
    [TestCase(64)]
    [TestCase((1 << 20) + 1)]
    [TestCase((5 << 20) + 130)]
    public void EveryByteOfASectionCountsForItsHash(int length)
    {
        EveryByteCounts(length, FileHashKind.Fast);
        EveryByteCounts(length, FileHashKind.Sha256);
        EveryByteCounts(length, FileHashKind.Blake3);
    }

    private static unsafe void EveryByteCounts(int length, FileHashKind kind)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        fixed (byte* pointer = bytes)
        {
            byte[] hash = SectionHash.Compute(kind, pointer, length);
            Assert.That(SectionHash.Compute(kind, pointer, length), Is.EqualTo(hash));
            for (int i = 0; i < Math.Min(length, 200); i++)
            {
                int at = i < 100 ? i : length - 1 - (i - 100);
                if (at < 0)
                {
                    continue;
                }
                pointer[at] ^= (byte)(1 << (i % 8));
                Assert.That(SectionHash.Compute(kind, pointer, length), Is.Not.EqualTo(hash), $"byte {at}");
                pointer[at] ^= (byte)(1 << (i % 8));
            }
            if (length > 0)
            {
                Assert.That(SectionHash.Compute(kind, pointer, length - 1), Is.Not.EqualTo(hash), "the length counts, too");
            }
        }
    }

    [Test]
    public void FilesOfAnOlderVersionAreRefused()
    {
        byte[] bytes = Write(Full());
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), FileLayout.OldestVersion - 1);
        File.WriteAllBytes(FilePath, bytes);
        GraphException e = Assert.Throws<GraphException>(() => Executable.Read(FilePath))!;
        Assert.That(e.Id, Is.EqualTo(RuntimeDiagnostics.BadExecutable));
        Assert.That(e.What, Does.Contain($"version {FileLayout.OldestVersion - 1}"));
    }

    private static Executable Full() =>
        Executable.Create(TestEntries.FullPlan(), TestEntries.FullObjects(), TestEntries.FullConstants());

    private byte[] Write(Executable executable)
    {
        using (executable)
        {
            executable.WriteFile(FilePath);
        }
        return File.ReadAllBytes(FilePath);
    }

    private void AssertRefused(ReadOnlySpan<byte> bytes, string what)
    {
        File.WriteAllBytes(FilePath, bytes);
        var error = Assert.Throws<GraphException>(() => Executable.Read(FilePath).Dispose(), what);
        Assert.That(error!.Id, Is.EqualTo(RuntimeDiagnostics.BadExecutable));
    }
}
