using System.Buffers.Binary;
using System.Numerics;

namespace Graphene.Codegen.Aot;

/// <summary>
/// A checksum that a library computes over its weights: fast and short, against damage, not against people. Two blocks that differ in
/// one word of eight bytes always have different checksums.
/// </summary>
/// <remarks>
/// <c>h = length; for each word: h = rotate(h xor word, 29) * K; h = h xor (h >> 32)</c>, words little-endian, the last one filled
/// with zeros. Each step is a bijection of h and of the word.
/// </remarks>
internal static class WeightsChecksum
{
    /// <summary>The function that computes it.</summary>
    public const string Symbol = "graphene_checksum";

    private const ulong Factor = 0x9E3779B97F4A7C15; // 2^64 / golden ratio, odd

    /// <summary>The function as LLVM IR.</summary>
    public static readonly string Ir = FormattableString.Invariant($$"""
        declare i64 @llvm.fshl.i64(i64, i64, i64)

        define internal i64 @{{Symbol}}(ptr %from, i64 %length) nounwind noinline {
        entry:
          %words = and i64 %length, -8
          br label %head
        head:
          %i = phi i64 [ 0, %entry ], [ %i_next, %round ]
          %h = phi i64 [ %length, %entry ], [ %h_next, %round ]
          %more = icmp slt i64 %i, %words
          br i1 %more, label %round, label %rest
        round:
          %at = getelementptr i8, ptr %from, i64 %i
          %word = load i64, ptr %at, align 8
          %h_next = call i64 @graphene_checksum_step(i64 %h, i64 %word)
          %i_next = add i64 %i, 8
          br label %head
        rest:
          %j = phi i64 [ %i, %head ], [ %j_next, %byte ]
          %last = phi i64 [ 0, %head ], [ %last_next, %byte ]
          %has_byte = icmp slt i64 %j, %length
          br i1 %has_byte, label %byte, label %end
        byte:
          %byte_at = getelementptr i8, ptr %from, i64 %j
          %x = load i8, ptr %byte_at
          %wide = zext i8 %x to i64
          %place = and i64 %j, 7
          %shift = shl i64 %place, 3
          %moved = shl i64 %wide, %shift
          %last_next = or i64 %last, %moved
          %j_next = add i64 %j, 1
          br label %rest
        end:
          %result = call i64 @graphene_checksum_step(i64 %h, i64 %last)
          ret i64 %result
        }

        define internal i64 @graphene_checksum_step(i64 %h, i64 %word) nounwind alwaysinline {
          %mixed = xor i64 %h, %word
          %turned = call i64 @llvm.fshl.i64(i64 %mixed, i64 %mixed, i64 29)
          %product = mul i64 %turned, {{unchecked((long)Factor)}}
          %high = lshr i64 %product, 32
          %result = xor i64 %product, %high
          ret i64 %result
        }

        """);

    /// <summary>The checksum of a block.</summary>
    public static ulong Of(ReadOnlySpan<byte> block)
    {
        ulong h = (ulong)block.Length;
        while (block.Length >= sizeof(ulong))
        {
            h = Step(h, BinaryPrimitives.ReadUInt64LittleEndian(block));
            block = block[sizeof(ulong)..];
        }
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        last.Clear();
        block.CopyTo(last);
        return Step(h, BinaryPrimitives.ReadUInt64LittleEndian(last));
    }

    private static ulong Step(ulong h, ulong word)
    {
        ulong product = unchecked(BitOperations.RotateLeft(h ^ word, 29) * Factor);
        return product ^ (product >> 32);
    }
}
