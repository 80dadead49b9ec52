using System.Runtime.CompilerServices;

namespace Graphene.Runtime;

/// <summary>A dim as a program for a small stack machine: what a run evaluates, and what an executable file
/// stores.</summary>
/// <remarks>
/// Evaluating allocates nothing. Generic types of the framework over types of ours are not used here: they are compiled
/// in every process anew, and each start from the cache reads hundreds of programs. Every program, also one from a
/// file, was checked when it was made: it never reads a symbol that is not there, never needs more than
/// <see cref="MaxDepth"/> values, and leaves exactly one.
/// </remarks>
internal sealed class DimProgram
{
    /// <summary>The most values that a program may have on its stack at a time.</summary>
    public const int MaxDepth = 64;

    /// <summary>The most steps of a program; far beyond any shape expression, and a bound for files.</summary>
    public const int MaxSteps = 4096;

    private readonly DimStep[] _steps;

    private DimProgram(DimStep[] steps) => _steps = steps;

    /// <summary>The steps in order.</summary>
    public DimStep[] Steps => _steps;

    /// <summary>Translates a dim.</summary>
    /// <param name="dim">Over the given symbols only.</param>
    /// <param name="symbols">The plan's symbols, in plan order.</param>
    /// <exception cref="CompilerBugException">The dim has a symbol that is not in the plan.</exception>
    public static DimProgram Compile(Dim dim, DimSymbol[] symbols)
    {
        if (dim.IsStatic)
        {
            return new DimProgram([new DimStep(DimCode.Number, dim.Value)]);
        }
        DimStep[] steps = dim.AsScaledSymbol(out long factor) is { } symbol
            ? Scaled(factor, NumberOf(symbol, symbols))
            : Translated(dim, symbols);
        string? problem = Check(steps, symbols.Length);
        return problem is null
            ? new DimProgram(steps)
            : throw new CompilerBugException("executable plan", $"dimension '{dim}': {problem}");
    }

    /// <summary>Says why steps are not a program; null when they are one.</summary>
    public static string? Check(DimStep[] steps, int symbolCount)
    {
        if (steps.Length > MaxSteps)
        {
            return $"{steps.Length} steps, at most {MaxSteps} are allowed";
        }
        int depth = 0;
        foreach (DimStep step in steps)
        {
            switch (step.Code)
            {
                case DimCode.Number:
                    depth++;
                    break;
                case DimCode.Symbol when step.Value >= 0 && step.Value < symbolCount:
                    depth++;
                    break;
                case DimCode.Add or DimCode.Multiply or DimCode.FloorDiv or DimCode.Max or DimCode.Min when depth >= 2:
                    depth--;
                    break;
                default:
                    return $"step {step.Code} {step.Value} is not possible here";
            }
            if (depth > MaxDepth)
            {
                return $"more than {MaxDepth} values at a time";
            }
        }
        return depth == 1 ? null : $"{depth} values are left, not one";
    }

    /// <summary>The dim that checked steps compute.</summary>
    /// <param name="steps">Steps for which <see cref="Check"/> found nothing.</param>
    /// <param name="symbols">The plan's symbols.</param>
    /// <param name="budget">What the operations may cost.</param>
    /// <returns>The dim; null when it costs more.</returns>
    /// <exception cref="OverflowException">Numbers leave 64 bits.</exception>
    /// <exception cref="DivideByZeroException">A number is divided by zero.</exception>
    public static Dim? ToDim(DimStep[] steps, DimSymbol[] symbols, DimBudget budget)
    {
        if (steps is [{ Code: DimCode.Number, Value: var constant }])
        {
            return constant;
        }
        var stack = new Dim[MaxDepth + 1];
        int depth = 0;
        foreach (DimStep step in steps)
        {
            if (step.Code is DimCode.Number or DimCode.Symbol)
            {
                stack[depth++] = step.Code is DimCode.Number ? step.Value : symbols[(int)step.Value];
                continue;
            }
            Dim right = stack[--depth];
            Dim left = stack[depth - 1];
            if (!budget.Spend(left, right))
            {
                return null;
            }
            stack[depth - 1] = step.Code switch
            {
                DimCode.Add => left + right,
                DimCode.Multiply => left * right,
                DimCode.FloorDiv => Dim.FloorDiv(left, right),
                DimCode.Max => Dim.Max(left, right),
                _ => Dim.Min(left, right),
            };
        }
        return stack[0];
    }

    /// <summary>Computes the value for given symbol values.</summary>
    /// <exception cref="OverflowException">The value leaves 64 bits.</exception>
    /// <exception cref="DivideByZeroException">A divisor is zero for these values.</exception>
    public long Evaluate(ReadOnlySpan<long> symbols)
    {
        if (_steps is [{ Code: DimCode.Number, Value: var constant }])
        {
            return constant;
        }
        Span<long> stack = stackalloc long[MaxDepth + 1];
        int depth = 0;
        foreach (DimStep step in _steps)
        {
            if (step.Code is DimCode.Number or DimCode.Symbol)
            {
                stack[depth++] = step.Code is DimCode.Number ? step.Value : symbols[(int)step.Value];
                continue;
            }
            long right = stack[--depth];
            ref long left = ref stack[depth - 1];
            left = step.Code switch
            {
                DimCode.Add => checked(left + right),
                DimCode.Multiply => checked(left * right),
                DimCode.FloorDiv => DimMath.FloorDiv(left, right),
                DimCode.Max => Math.Max(left, right),
                _ => Math.Min(left, right),
            };
        }
        return stack[0];
    }

    // What nearly all dimensions are that are not numbers. Others take types that a start does not wait for otherwise.
    private static DimStep[] Scaled(long factor, int symbol) => factor == 1
        ? [new(DimCode.Symbol, symbol)]
        : [new(DimCode.Symbol, symbol), new(DimCode.Number, factor), new(DimCode.Multiply, 0)];

    [MethodImpl(MethodImplOptions.NoInlining)] // or its types would be its caller's
    private static DimStep[] Translated(Dim dim, DimSymbol[] symbols) => new Translator(symbols).Visit(dim);

    private static int NumberOf(DimSymbol symbol, DimSymbol[] symbols)
    {
        // Mostly the same object; comparing contents takes types of the framework.
        for (int i = 0; i < symbols.Length; i++)
        {
            if (ReferenceEquals(symbols[i], symbol))
            {
                return i;
            }
        }
        return NumberOfEqual(symbol, symbols);
    }

    private static int NumberOfEqual(DimSymbol symbol, DimSymbol[] symbols)
    {
        for (int i = 0; i < symbols.Length; i++)
        {
            if (symbols[i].Equals(symbol))
            {
                return i;
            }
        }
        throw new CompilerBugException("executable plan", $"symbol '{symbol}' is not one of the plan's symbols");
    }

    private sealed class Translator(DimSymbol[] symbols) : DimVisitor<DimStep[]>
    {
        protected override DimStep[] Number(long value) => [new(DimCode.Number, value)];

        protected override DimStep[] Symbol(DimSymbol symbol) => [new(DimCode.Symbol, NumberOf(symbol, symbols))];

        protected override DimStep[] Add(DimStep[] left, DimStep[] right) => Join(left, right, DimCode.Add);

        protected override DimStep[] Multiply(DimStep[] left, DimStep[] right) => Join(left, right, DimCode.Multiply);

        protected override DimStep[] FloorDiv(DimStep[] left, DimStep[] right) => Join(left, right, DimCode.FloorDiv);

        protected override DimStep[] Max(DimStep[] left, DimStep[] right) => Join(left, right, DimCode.Max);

        protected override DimStep[] Min(DimStep[] left, DimStep[] right) => Join(left, right, DimCode.Min);

        private static DimStep[] Join(DimStep[] left, DimStep[] right, DimCode code)
        {
            var joined = new DimStep[left.Length + right.Length + 1];
            Array.Copy(left, joined, left.Length);
            Array.Copy(right, 0, joined, left.Length, right.Length);
            joined[^1] = new DimStep(code, 0);
            return joined;
        }
    }
}

/// <summary>What a step of a <see cref="DimProgram"/> does; the values are part of the file format.</summary>
internal enum DimCode : byte
{
    /// <summary>Pushes the step's value.</summary>
    Number,

    /// <summary>Pushes the symbol with the step's value as number.</summary>
    Symbol,

    /// <summary>Replaces the top two values by their sum.</summary>
    Add,

    /// <summary>Replaces the top two values by their product.</summary>
    Multiply,

    /// <summary>Replaces the top two values by their quotient rounded down; the divisor is on top.</summary>
    FloorDiv,

    /// <summary>Replaces the top two values by the larger.</summary>
    Max,

    /// <summary>Replaces the top two values by the smaller.</summary>
    Min,
}

/// <summary>One step.</summary>
/// <param name="Code">What it does.</param>
/// <param name="Value">The number or the symbol's number.</param>
internal readonly record struct DimStep(DimCode Code, long Value);
