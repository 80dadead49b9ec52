namespace Graphene.Codegen.Aot;

/// <summary>The few functions that every native library carries instead of a runtime, as LLVM IR.</summary>
/// <remarks>All are internal to the library, so two libraries in one program do not meet, and what is not used is dropped.</remarks>
internal static class ShimRuntime
{
    /// <summary>Copies memory that does not overlap.</summary>
    public const string CopySymbol = "graphene_copy";

    /// <summary>Checks a list of pointers: 0 good, 1 a null, 2 a misaligned one.</summary>
    public const string CheckSymbol = "graphene_check";

    /// <summary>Puts pointers of the caller's list into the table of buffers.</summary>
    public const string PointSymbol = "graphene_point";

    /// <summary>Puts places in a block of memory into the table of buffers.</summary>
    public const string PlaceSymbol = "graphene_place";

    /// <summary>What compiled code calls to share tasks between threads; calls the caller's function.</summary>
    public const string ParallelSymbol = "graphene_parallel";

    /// <summary>An int that is zero: the cancellation flag of runs without one.</summary>
    public const string NeverSymbol = "graphene_never";

    /// <summary>Copies 64 bytes at a time, then single ones; passes that make calls of such loops are not run.</summary>
    public const string Copy = $$"""
        define void @{{CopySymbol}}(ptr %to, ptr %from, i64 %bytes) nounwind noinline "no-builtins" {
        entry:
          %blocks = and i64 %bytes, -64
          %has_blocks = icmp sgt i64 %blocks, 0
          br i1 %has_blocks, label %block, label %rest
        block:
          %i = phi i64 [ 0, %entry ], [ %i_next, %block ]
          %from_0 = getelementptr i8, ptr %from, i64 %i
          %from_1 = getelementptr i8, ptr %from_0, i64 16
          %from_2 = getelementptr i8, ptr %from_0, i64 32
          %from_3 = getelementptr i8, ptr %from_0, i64 48
          %x0 = load <4 x i32>, ptr %from_0, align 1
          %x1 = load <4 x i32>, ptr %from_1, align 1
          %x2 = load <4 x i32>, ptr %from_2, align 1
          %x3 = load <4 x i32>, ptr %from_3, align 1
          %to_0 = getelementptr i8, ptr %to, i64 %i
          %to_1 = getelementptr i8, ptr %to_0, i64 16
          %to_2 = getelementptr i8, ptr %to_0, i64 32
          %to_3 = getelementptr i8, ptr %to_0, i64 48
          store <4 x i32> %x0, ptr %to_0, align 1
          store <4 x i32> %x1, ptr %to_1, align 1
          store <4 x i32> %x2, ptr %to_2, align 1
          store <4 x i32> %x3, ptr %to_3, align 1
          %i_next = add i64 %i, 64
          %more_blocks = icmp slt i64 %i_next, %blocks
          br i1 %more_blocks, label %block, label %rest
        rest:
          %has_rest = icmp slt i64 %blocks, %bytes
          br i1 %has_rest, label %byte, label %exit
        byte:
          %j = phi i64 [ %blocks, %rest ], [ %j_next, %byte ]
          %from_at = getelementptr i8, ptr %from, i64 %j
          %x = load i8, ptr %from_at, align 1
          %to_at = getelementptr i8, ptr %to, i64 %j
          store i8 %x, ptr %to_at, align 1
          %j_next = add i64 %j, 1
          %more = icmp slt i64 %j_next, %bytes
          br i1 %more, label %byte, label %exit
        exit:
          ret void
        }

        """;

    /// <summary>
    /// A mask for each pointer of the list: the size of an element less one; with the sign bit where nothing is read, so that null is
    /// good, too.
    /// </summary>
    public const string Check = $$"""
        define internal i32 @{{CheckSymbol}}(ptr %list, ptr %masks, i64 %count) nounwind noinline {
        entry:
          br label %head
        head:
          %i = phi i64 [ 0, %entry ], [ %next, %latch ]
          %more = icmp slt i64 %i, %count
          br i1 %more, label %round, label %good
        round:
          %at = getelementptr ptr, ptr %list, i64 %i
          %pointer = load ptr, ptr %at
          %mask_at = getelementptr i8, ptr %masks, i64 %i
          %mask = load i8, ptr %mask_at
          %is_null = icmp eq ptr %pointer, null
          br i1 %is_null, label %missing, label %present
        missing:
          %is_empty = icmp slt i8 %mask, 0
          br i1 %is_empty, label %latch, label %null
        present:
          %low = and i8 %mask, 127
          %wide = zext i8 %low to i64
          %address = ptrtoint ptr %pointer to i64
          %over = and i64 %address, %wide
          %is_aligned = icmp eq i64 %over, 0
          br i1 %is_aligned, label %latch, label %misaligned
        latch:
          %next = add i64 %i, 1
          br label %head
        good:
          ret i32 0
        null:
          ret i32 1
        misaligned:
          ret i32 2
        }

        """;

    /// <summary>Pairs: the place in the table, the place in the list.</summary>
    public static readonly string Point = EachPair(PointSymbol, "list", """
          %from_at = getelementptr ptr, ptr %list, i32 %second
          %pointer = load ptr, ptr %from_at

        """);

    /// <summary>Pairs: the place in the table, the offset in units of 64 bytes.</summary>
    public static readonly string Place = EachPair(PlaceSymbol, "base", """
          %wide = zext i32 %second to i64
          %offset = shl i64 %wide, 6
          %pointer = getelementptr i8, ptr %base, i64 %offset

        """);

    /// <summary>
    /// The caller's function gets the number of tasks, a function and what to pass to it. The context's pool holds the caller's
    /// function and what it is told.
    /// </summary>
    public const string Parallel = $$"""
        define internal void @{{ParallelSymbol}}(ptr %ctx, ptr %kernel, ptr %args, i64 %count) nounwind noinline {
          %state = alloca [3 x i64], align 8
          %args_at = getelementptr i64, ptr %state, i64 1
          %kernel_at = getelementptr i64, ptr %state, i64 2
          store ptr %ctx, ptr %state
          store ptr %args, ptr %args_at
          store ptr %kernel, ptr %kernel_at
          %pool_at = getelementptr i64, ptr %ctx, i64 3
          %pair = load ptr, ptr %pool_at
          %told_at = getelementptr i64, ptr %pair, i64 1
          %function = load ptr, ptr %pair
          %told = load ptr, ptr %told_at
          call void %function(ptr %told, i64 %count, ptr @graphene_tasks, ptr %state)
          ret void
        }

        define internal void @graphene_tasks(ptr %state, i64 %begin, i64 %end) nounwind noinline {
          %args_at = getelementptr i64, ptr %state, i64 1
          %kernel_at = getelementptr i64, ptr %state, i64 2
          %ctx = load ptr, ptr %state
          %args = load ptr, ptr %args_at
          %kernel = load ptr, ptr %kernel_at
          call void %kernel(ptr %ctx, ptr %args, i64 %begin, i64 %end)
          ret void
        }

        """;

    /// <summary>All of them.</summary>
    public static readonly string All = $"@{NeverSymbol} = internal constant i32 0, align 4\n\n" + Check + Point + Place + Parallel;

    // Fills the table by pairs of numbers: a place in it, and %second, of which the body makes %pointer.
    private static string EachPair(string symbol, string source, string body) => $$"""
        define internal void @{{symbol}}(ptr %table, ptr %{{source}}, ptr %pairs, i64 %count) nounwind noinline {
        entry:
          br label %round
        round:
          %i = phi i64 [ 0, %entry ], [ %next, %round ]
          %pair = getelementptr i64, ptr %pairs, i64 %i
          %second_at = getelementptr i32, ptr %pair, i64 1
          %to = load i32, ptr %pair
          %second = load i32, ptr %second_at
        {{body}}  %to_at = getelementptr i64, ptr %table, i32 %to
          store ptr %pointer, ptr %to_at
          %next = add i64 %i, 1
          %more = icmp slt i64 %next, %count
          br i1 %more, label %round, label %exit
        exit:
          ret void
        }

        """;
}
