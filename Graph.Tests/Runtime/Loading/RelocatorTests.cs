using System.Buffers.Binary;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;
using Graphene.Tests.Codegen.Llvm;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Loading;

/// <summary>Each relocation patches what GNU ld patches; what is out of reach is noticed.</summary>
internal sealed class RelocatorTests
{
    private const ulong Far = 0x51234560;
    private const ulong Back = 0x40000ffc;
    private const ulong Forward = 0x40001f00;
    private const ulong TableEntry = 0x4001ffe0;

    // Assembled and linked with GNU binutils for aarch64, with the symbols above at those addresses.
    [TestCase(275u, 0x40001000ul, Far, 0x90000003u, 0xf0089183u, TestName = "adrp")]
    [TestCase(277u, 0x40001004ul, Far, 0x91000063u, 0x91158063u, TestName = "add lo12")]
    [TestCase(278u, 0x40001008ul, Far, 0x39400061u, 0x39558061u, TestName = "ldrb lo12")]
    [TestCase(284u, 0x4000100cul, Far, 0x79400061u, 0x794ac061u, TestName = "ldrh lo12")]
    [TestCase(285u, 0x40001010ul, Far, 0xb9400061u, 0xb9456061u, TestName = "ldr w lo12")]
    [TestCase(286u, 0x40001014ul, Far, 0xf9000061u, 0xf902b061u, TestName = "str x lo12")]
    [TestCase(299u, 0x40001018ul, Far, 0x3dc00061u, 0x3dc15861u, TestName = "ldr q lo12")]
    [TestCase(283u, 0x4000101cul, Back, 0x94000000u, 0x97fffff8u, TestName = "bl")]
    [TestCase(282u, 0x40001020ul, Forward, 0x14000000u, 0x140003b8u, TestName = "b")]
    [TestCase(280u, 0x40001024ul, Forward, 0x54000001u, 0x540076e1u, TestName = "b.ne")]
    [TestCase(280u, 0x40001028ul, Back, 0xb4000001u, 0xb4fffea1u, TestName = "cbz")]
    [TestCase(279u, 0x4000102cul, Forward, 0x36280001u, 0x362876a1u, TestName = "tbz")]
    [TestCase(274u, 0x40001030ul, Forward, 0x10000004u, 0x10007684u, TestName = "adr")]
    [TestCase(273u, 0x40001034ul, Forward, 0x58000005u, 0x58007665u, TestName = "ldr literal")]
    [TestCase(311u, 0x40001038ul, TableEntry, 0x90000006u, 0xd00000e6u, TestName = "adrp got")]
    [TestCase(312u, 0x4000103cul, TableEntry, 0xf94000c6u, 0xf947f0c6u, TestName = "ldr got lo12")]
    [TestCase(261u, 0x40020008ul, Back, 0u, 0xfffe0ff4u, TestName = "prel32")]
    [TestCase(258u, 0x4002001cul, 0x89abcdeful, 0u, 0x89abcdefu, TestName = "abs32")]
    public void ArmInstructionsArePatchedAsByTheSystemLinker(
        uint type, ulong place, ulong target, uint before, uint after)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, before);

        bool reached = new Arm64Relocator().TryApply(type, bytes, place, target);

        Assert.That(reached);
        Assert.That($"{BinaryPrimitives.ReadUInt32LittleEndian(bytes):x8}", Is.EqualTo($"{after:x8}"));
    }

    [TestCase(257u, 0x4002000cul, Far, 0x51234560L, TestName = "abs64")]
    [TestCase(260u, 0x4002000cul, Back, -0x1f010L, TestName = "prel64")]
    public void ArmAddressesAreWrittenWhole(uint type, ulong place, ulong target, long value)
    {
        byte[] bytes = new byte[8];

        Assert.That(new Arm64Relocator().TryApply(type, bytes, place, target));
        Assert.That(BinaryPrimitives.ReadInt64LittleEndian(bytes), Is.EqualTo(value));
    }

    [TestCase(283u, 1ul << 27, Description = "a call reaches 128 MiB")]
    [TestCase(283u, 6ul, Description = "instructions are at multiples of four")]
    [TestCase(280u, 1ul << 20)]
    [TestCase(279u, 1ul << 15)]
    [TestCase(274u, 1ul << 20)]
    [TestCase(275u, 1ul << 32)]
    [TestCase(261u, 1ul << 31)]
    [TestCase(286u, 4ul, Description = "a load of eight bytes wants a multiple of eight")]
    [TestCase(299u, 8ul)]
    public void ArmTargetsOutOfReachAreNoticed(uint type, ulong distance)
    {
        const ulong place = 0x7f00_0000_0000;

        Assert.That(new Arm64Relocator().TryApply(type, new byte[4], place, place + distance), Is.False);
    }

    [TestCase(2u, 0x7fff_ffffL, true)]
    [TestCase(2u, 0x8000_0000L, false)]
    [TestCase(4u, -0x8000_0000L, true)]
    [TestCase(4u, -0x8000_0001L, false)]
    [TestCase(42u, 16L, true)]
    [TestCase(10u, 16L, false)]
    [TestCase(11u, 16L, false)]
    public void X64DistancesFillFourBytes(uint type, long distance, bool fits)
    {
        const ulong place = 0x7f00_0000_0000;
        byte[] bytes = new byte[4];

        bool reached = new X64Relocator(windows: false).TryApply(type, bytes, place, place + (ulong)distance);

        Assert.That(reached, Is.EqualTo(fits));
        if (fits)
        {
            Assert.That(BinaryPrimitives.ReadInt32LittleEndian(bytes), Is.EqualTo(distance));
        }
    }

    [TestCase(10u, 0xffff_fff0ul, true)]
    [TestCase(10u, 0x1_0000_0000ul, false)]
    [TestCase(11u, 0x7fff_ffffUL, true)]
    [TestCase(11u, 0xffff_ffff_8000_0000ul, true)]
    [TestCase(11u, 0xffff_fff0ul, false)]
    public void X64AddressesOfFourBytesMustBeLow(uint type, ulong target, bool fits)
    {
        Assert.That(new X64Relocator(windows: false).TryApply(type, new byte[4], 0, target), Is.EqualTo(fits));
    }

    [Test]
    public void ObjectsOfBothProcessorsLinkAtAnyPage([Values("x64", "arm64")] string processor)
    {
        LlvmTarget target = processor == "x64" ? LlvmTarget.X64 : LlvmTarget.Arm64;
        string[] sources = [SampleIr.Caller, SampleIr.Callee, SampleIr.Copy, SampleIr.Polynomial, SampleIr.JumpTable];
        ElfObject[] objects =
            [.. sources.Select((ir, i) => ElfObject.Parse(LlvmCompiler.Compile(ir, target), $"{i}.o"))];
        var linker = new ObjectLinker(objects, pageSize: 16384, windows: false);

        byte[] low = linker.Link(0x10000, _ => 0x1234);
        byte[] high = linker.Link(0x7fff_ffff_0000, _ => 0x1234);

        // Position-independent code differs in nothing but the tables of whole addresses.
        ImageLayout layout = linker.Layout;
        Assert.That(low.AsSpan(0, (int)layout.StubOffset).SequenceEqual(high.AsSpan(0, (int)layout.StubOffset)));
        Assert.That(layout.ReadOnlyOffset % 16384, Is.Zero);
        Assert.That(layout.DataOffset % 16384, Is.Zero);
        Assert.That(layout.TotalSize - layout.BackedSize, Is.GreaterThanOrEqualTo(8000), "zeros take no bytes");
        Assert.That(
            linker.Functions().Names, Is.EquivalentTo(new[] { "caller", "twice", "copy", "polynomial", "choose" }));
        long caller = linker.Functions()["caller"];
        Assert.That(caller, Is.InRange(0, layout.CodeSize - 1));
    }

    [Test]
    public unsafe void WindowsFunctionsAreCalledWithTheirOwnConvention()
    {
        if (LlvmTarget.Host().Architecture != LlvmArchitecture.X64)
        {
            Assert.Ignore("x86-64 only");
        }

        // Stands for the C library of Windows: moves bytes backwards.
        using LoadedCode library = LoadedCode.Load(LlvmCompiler.Compile(
            """
            define win64cc ptr @library(ptr %to, ptr %from, i64 %n) nounwind {
            entry:
              br label %test
            test:
              %i = phi i64 [ 0, %entry ], [ %i1, %body ]
              %more = icmp ult i64 %i, %n
              br i1 %more, label %body, label %done
            body:
              %last = sub i64 %n, 1
              %j = sub i64 %last, %i
              %p = getelementptr i8, ptr %from, i64 %j
              %q = getelementptr i8, ptr %to, i64 %i
              %b = load volatile i8, ptr %p
              store volatile i8 %b, ptr %q
              %i1 = add i64 %i, 1
              br label %test
            done:
              ret ptr %to
            }
            """,
            LlvmTarget.Host()));
        nint address = library.GetFunction("library");
        ElfObject[] objects = [ElfObject.Parse(LlvmCompiler.Compile(SampleIr.Copy, LlvmTarget.Host()), "copy.o")];
        var linker = new ObjectLinker(objects, Environment.SystemPageSize, windows: true);
        using LoadedCode code = LoadedCode.Load(linker, name => name == "memcpy" ? address : 0);
        var copy = (delegate* unmanaged<byte*, byte*, long, void>)code.GetFunction("copy");
        byte* from = stackalloc byte[] { 1, 2, 3, 4, 5 };
        byte* to = stackalloc byte[5];

        copy(to, from, 5);

        Assert.That(new Span<byte>(to, 5).ToArray(), Is.EqualTo(new byte[] { 5, 4, 3, 2, 1 }));
    }
}
