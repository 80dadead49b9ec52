using System.Buffers.Binary;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Loading;

/// <summary>Damaged and hostile objects are refused with one kind of error; nothing is executed.</summary>
internal sealed class ElfFuzzTests
{
    private const int PageSize = 4096;
    private const int Mutations = 6000;

    private static readonly string[] Sources =
        [SampleIr.Callee, SampleIr.JumpTable, SampleIr.Copy, SampleIr.Polynomial];

    [Test]
    public void ChangedBytesNeverCrashTheLinker([Values("x64", "arm64")] string processor)
    {
        LlvmTarget target = processor == "x64" ? LlvmTarget.X64V3 : LlvmTarget.Arm64;
        var options = new LlvmCompilerOptions { Passes = LlvmPipelines.None };
        byte[][] originals = [.. Sources.Select(ir => LlvmCompiler.Compile(ir, target, options))];
        var random = new Random(12345);
        int refused = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] bytes = (byte[])originals[i % originals.Length].Clone();
            Mutate(bytes, random);
            refused += TryLink(bytes) ? 0 : 1;
        }

        // Flips in instructions go unnoticed; flips in headers, symbols and relocations must not.
        Assert.That(refused, Is.InRange(Mutations / 10, Mutations - 1));
    }

    [Test]
    public void EveryTruncationIsRefused()
    {
        byte[] original = LlvmCompiler.Compile(SampleIr.Callee, LlvmTarget.X64);
        for (int length = 0; length < original.Length; length++)
        {
            byte[] bytes = original[..length];
            Assert.That(TryLink(bytes), Is.False, $"{length} of {original.Length} bytes");
        }
    }

    [Test]
    public void RandomBytesAreRefused()
    {
        var random = new Random(99);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[random.Next(512)];
            random.NextBytes(bytes);
            "\u007fELF\u0002\u0001\u0001"u8[..Math.Min(7, bytes.Length)].CopyTo(bytes);
            Assert.That(TryLink(bytes), Is.False);
        }
    }

    [TestCase(4, 1, "64-bit little-endian")]
    [TestCase(5, 2, "64-bit little-endian")]
    [TestCase(16, 3, "not a relocatable object")]
    [TestCase(18, 40, "machine number 40")]
    [TestCase(60, 0, "no section table")]
    [TestCase(62, 255, "section names is missing")]
    public void HeadersOfOtherFilesAreExplained(int offset, byte value, string problem)
    {
        byte[] bytes = LlvmCompiler.Compile(SampleIr.Callee, LlvmTarget.X64);
        BinaryPrimitives.WriteUInt16LittleEndian(
            bytes.AsSpan(offset), offset < 16 ? (ushort)(value | (bytes[offset + 1] << 8)) : value);

        var error = Assert.Throws<ObjectLoadException>(() => ElfObject.Parse(bytes, "kernels.o"))!;

        Assert.That(error.Problem, Does.Contain(problem));
        Assert.That(error.Message, Does.StartWith("GR6001 ").And.Contain("\n  at   kernels.o\n"));
    }

    [Test]
    public void AHugeZeroSectionIsRefusedBeforeMemoryIsAskedFor()
    {
        byte[] bytes = LlvmCompiler.Compile(SampleIr.Callee, LlvmTarget.X64);
        int section = SectionHeaderOf(bytes, type: 8);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(section + 32), 1UL << 40);

        Assert.That(
            () => ElfObject.Parse(bytes, "kernels.o"),
            Throws.TypeOf<ObjectLoadException>().With.Message.Contains("is larger than"));
    }

    [Test]
    public void SectionsThatShareBytesAreRefused()
    {
        // Each section may claim the whole file, but not several of them: the image would outgrow the file.
        byte[] bytes = LlvmCompiler.Compile(SampleIr.Callee, LlvmTarget.X64);
        int[] sections = [.. SectionHeadersOf(bytes, type: 1)];
        foreach (int section in sections)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(section + 24), 0);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(section + 32), (ulong)bytes.Length);
        }

        Assert.That(sections, Has.Length.GreaterThan(2));
        Assert.That(
            () => ElfObject.Parse(bytes, "kernels.o"),
            Throws.TypeOf<ObjectLoadException>().With.Message.Contains("its sections overlap each other"));
    }

    [Test]
    public void RelocationsThatShareBytesAreRefused()
    {
        byte[] bytes = LlvmCompiler.Compile(SampleIr.Callee, LlvmTarget.X64);
        int[] tables = [.. SectionHeadersOf(bytes, type: 4)];
        ulong size = (ulong)(bytes.Length / 24 * 24);
        foreach (int table in tables)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(table + 24), 0);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(table + 32), size);
        }

        Assert.That(tables, Has.Length.GreaterThan(1));
        Assert.That(
            () => ElfObject.Parse(bytes, "kernels.o"),
            Throws.TypeOf<ObjectLoadException>().With.Message.Contains("relocations are larger than the file"));
    }

    [Test]
    public void ObjectsForDifferentProcessorsAreNotMixed()
    {
        ElfObject[] objects =
        [
            ElfObject.Parse(LlvmCompiler.Compile(SampleIr.Callee, LlvmTarget.X64), "a.o"),
            ElfObject.Parse(LlvmCompiler.Compile(SampleIr.Copy, LlvmTarget.Arm64), "b.o"),
        ];

        var error = Assert.Throws<ObjectLoadException>(() => _ = new ObjectLinker(objects, PageSize, windows: false))!;

        Assert.That(error.Problem, Is.EqualTo("it is for 64-bit ARM, others are for x86-64"));
    }

    private static void Mutate(byte[] bytes, Random random)
    {
        int headers = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(40));
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            // Two times out of three in the header or the section table, where a change does most.
            int at = random.Next(3) switch
            {
                0 => random.Next(bytes.Length),
                1 => random.Next(headers, bytes.Length),
                _ => random.Next(16, 64),
            };
            bytes[at] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(bytes[at] ^ (1 << random.Next(8))),
                _ => (byte)(random.Next(2) * 255),
            };
        }
    }

    private static bool TryLink(byte[] bytes)
    {
        try
        {
            ElfObject parsed = ElfObject.Parse(bytes, "fuzz");
            var linker = new ObjectLinker([parsed], PageSize, windows: false);
            _ = linker.Functions();
            _ = linker.Link(0x7f00_0000_0000, _ => unchecked((nint)0x7fff_0000_1234));
            return true;
        }
        catch (ObjectLoadException)
        {
            return false;
        }
    }

    private static int SectionHeaderOf(byte[] bytes, uint type) => SectionHeadersOf(bytes, type).First();

    private static IEnumerable<int> SectionHeadersOf(byte[] bytes, uint type)
    {
        int table = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(40));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(60));
        return Enumerable.Range(0, count)
            .Select(i => table + (i * 64))
            .Where(at => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 4)) == type);
    }
}
