namespace Graphene.Codegen;

/// <summary>A step of a kernel.</summary>
public abstract record KStmt;

/// <summary>Steps in order; variables bound in a block are visible to its end.</summary>
/// <param name="Statements">The steps.</param>
public sealed record KBlock(IReadOnlyList<KStmt> Statements);

/// <summary>A counted loop: the variable takes begin, begin + step, ... while it is less than end.</summary>
/// <param name="Variable">The counter, scalar i64.</param>
/// <param name="Begin">The first value.</param>
/// <param name="End">The bound.</param>
/// <param name="Step">Positive.</param>
/// <param name="Body">What is repeated.</param>
/// <param name="Unroll">Repeat the body in code: 0 or 1 not at all, n by n (all of it when the trip count is n).</param>
public sealed record KFor(KVariable Variable, KExpr Begin, KExpr End, long Step, KBlock Body, int Unroll = 0) : KStmt;

/// <summary>Repeats while a condition, evaluated before each round, holds.</summary>
/// <param name="Condition">A scalar bool that reads registers.</param>
/// <param name="Body">What is repeated.</param>
public sealed record KWhile(KExpr Condition, KBlock Body) : KStmt;

/// <summary>Runs one of two blocks.</summary>
/// <param name="Condition">A scalar bool.</param>
/// <param name="Then">Run when it holds.</param>
/// <param name="Else">Run otherwise; null for nothing.</param>
public sealed record KIf(KExpr Condition, KBlock Then, KBlock? Else = null) : KStmt;

/// <summary>Computes a value once and names it.</summary>
/// <param name="Variable">The name.</param>
/// <param name="Value">The value, of the variable's type.</param>
public sealed record KLet(KVariable Variable, KExpr Value) : KStmt;

/// <summary>Declares a register with its first value; visible to the end of the block.</summary>
/// <param name="Register">The register.</param>
/// <param name="Initial">Its first value.</param>
public sealed record KDeclare(KRegister Register, KExpr Initial) : KStmt;

/// <summary>Sets a register.</summary>
/// <param name="Register">The register.</param>
/// <param name="Value">Its new value.</param>
public sealed record KAssign(KRegister Register, KExpr Value) : KStmt;

/// <summary>Writes consecutive elements.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Index">Where the first lane goes, i64, in elements.</param>
/// <param name="Value">The lanes.</param>
/// <param name="Mask">Bool lanes: lanes that are off are not written; null for all.</param>
/// <param name="IsStreaming">
/// A hint: what is written is not read soon and more than the caches hold, so it may go around them. Not for scratch, nor under a mask.
/// </param>
/// <param name="Alignment">
/// A number of elements, a power of two: the index is a multiple of it, and the buffer begins at a
/// multiple of their size.
/// </param>
public sealed record KStore(
    KBuffer Buffer, KExpr Index, KExpr Value, KExpr? Mask = null, bool IsStreaming = false, int Alignment = 1) : KStmt;

/// <summary>Writes elements to any places, in lane order: where indices repeat, the last lane wins.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Indices">One i64 lane per element.</param>
/// <param name="Value">The lanes.</param>
/// <param name="Mask">Bool lanes: lanes that are off are not written; null for all.</param>
public sealed record KScatter(KBuffer Buffer, KExpr Indices, KExpr Value, KExpr? Mask = null) : KStmt;

/// <summary>Asks for a place to be brought near. Changes nothing, and the place need not exist.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Index">Where, i64, in elements.</param>
/// <param name="IsSoon">Whether it is read so soon that the first cache is the right one, and not the second.</param>
public sealed record KPrefetch(KBuffer Buffer, KExpr Index, bool IsSoon = false) : KStmt;

/// <summary>Makes scratch available from here to the end of the kernel.</summary>
/// <param name="Buffer">A scratch buffer.</param>
public sealed record KScratch(KBuffer Buffer) : KStmt;
