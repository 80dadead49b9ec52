using Graphene.Codegen.Aot;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>Which additions move into accesses, and which must stay.</summary>
internal sealed class WasmOffsetFoldingTests
{
    private const byte LocalGet = 0x20;
    private const byte LocalTee = 0x22;
    private const byte I32Load = 0x28;
    private const byte F32Store = 0x38;
    private const byte I32Const = 0x41;
    private const byte I32Add = 0x6A;
    private const byte Drop = 0x1A;
    private const byte End = 0x0B;

    // local.get 0; i32.const 112; i32.add; load offset=8 alignment=2
    private static readonly byte[] Sum = [LocalGet, 0, I32Const, 0xF0, 0, I32Add];

    [Test]
    public void AConstantMovesIntoALoad() => Assert.That(
        Fold([.. Sum, I32Load, 2, 8, Drop, End]), Is.EqualTo((byte[])[LocalGet, 0, I32Load, 2, 120, Drop, End]));

    [Test]
    public void AConstantMovesIntoALoadOfAVector() => Assert.That(
        Fold([.. Sum, 0xFD, 9, 2, 0, Drop, End]), Is.EqualTo((byte[])[LocalGet, 0, 0xFD, 9, 2, 112, Drop, End]), "load32_splat");

    [Test]
    public void AConstantMovesIntoAStoreOfALocal() => Assert.That(
        Fold([.. Sum, LocalGet, 1, F32Store, 2, 0, End]), Is.EqualTo((byte[])[LocalGet, 0, LocalGet, 1, F32Store, 2, 112, End]));

    [Test]
    public void TheLargestConstantIsWhatLiesBelowEverything()
    {
        byte[] just = [LocalGet, 0, I32Const, 0x80, 0x80, 4, I32Add, I32Load, 2, 0, Drop, End]; // 65536
        byte[] more = [LocalGet, 0, I32Const, 0x81, 0x80, 4, I32Add, I32Load, 2, 0, Drop, End];
        byte[] sum = [LocalGet, 0, I32Const, 0x80, 0x80, 4, I32Add, I32Load, 2, 1, Drop, End];

        Assert.That(Fold(just), Is.EqualTo((byte[])[LocalGet, 0, I32Load, 2, 0x80, 0x80, 4, Drop, End]));
        Assert.That(Fold(more), Is.EqualTo(more));
        Assert.That(Fold(sum), Is.EqualTo(sum), "with the offset that is there it would be larger");
    }

    [Test]
    public void WhatIsNotTheAddressStays()
    {
        byte[][] others =
        [
            [LocalGet, 0, I32Const, 0x7F, I32Add, I32Load, 2, 0, Drop, End], // -1
            [.. Sum, LocalTee, 1, I32Load, 2, 0, Drop, End], // the sum is used again
            [LocalGet, 0, LocalGet, 1, I32Add, I32Load, 2, 0, Drop, End],
            [LocalGet, 1, .. Sum, F32Store, 2, 0, End], // the sum is what is stored
        ];

        Assert.Multiple(() =>
        {
            foreach (byte[] code in others)
            {
                Assert.That(Fold(code), Is.EqualTo(code), Convert.ToHexString(code));
            }
        });
    }

    [Test]
    public void EverythingElseIsCopied()
    {
        byte[] code =
        [
            0x02, 0x40, 0x03, 0x7F, 0x0E, 2, 0, 1, 0, End, End, // block, loop, a table of branches
            0x42, 0x80, 0x7F, Drop, 0x43, 1, 2, 3, 4, Drop, 0x44, 1, 2, 3, 4, 5, 6, 7, 8, Drop, // constants
            0xFD, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, // v128.const
            0xFD, 0xE4, 0x01, // f32x4.add
            0xFD, 0, 4, 16, 0xFD, 31, 2, 0xFD, 84, 0, 0, 3, // load, extract_lane, load8_lane
            0xFC, 6, 0xFC, 10, 0, 0, 0xFC, 11, 0, // a conversion, copies, fills
            0x10, 0x80, 0x01, 0x11, 1, 0, 0x1C, 1, 0x7B, 0x1B, End,
        ];

        Assert.That(Fold(code), Is.EqualTo(code));
    }

    [Test]
    public void WhatIsNotKnownIsRefused() =>
        Assert.That(() => Fold([0xFB, 0, End]), Throws.TypeOf<CompilerBugException>());

    // Through a code section of two functions: one with locals and these instructions, and an empty one.
    private static byte[] Fold(byte[] instructions)
    {
        byte[] locals = [2, 1, 0x7F, 3, 0x7B];
        byte[] section = [2, (byte)(locals.Length + instructions.Length), .. locals, .. instructions, 2, 0, End];
        byte[] folded = WasmOffsetFolding.Run(section);
        int size = folded[1];
        Assert.That(folded[0], Is.EqualTo(2));
        Assert.That(folded[2..(2 + locals.Length)], Is.EqualTo(locals));
        Assert.That(folded[(2 + size)..], Is.EqualTo((byte[])[2, 0, End]));
        return folded[(2 + locals.Length)..(2 + size)];
    }
}
