namespace Graphene.Runtime;

/// <summary>Gives symbols their values from the shapes of what is fed, and checks everything that is assumed about
/// those shapes.</summary>
/// <remarks>Extents of all inputs are passed as one row, input by input. Binding allocates nothing unless it
/// fails.</remarks>
internal sealed class SignatureBinder
{
    private readonly InputSpec[] _inputs;
    private readonly DimSymbol[] _symbols;
    private readonly ShapeCheck[] _checks;
    private readonly SymbolSource[] _sources;
    private readonly DimProgram[] _inputDims;
    private readonly DimProgram[][] _outputDims;
    private readonly DimProgram[] _checkSides; // the left and the right one of each
    private readonly int[] _inputStarts;

    /// <summary>Prepares the binding.</summary>
    /// <exception cref="GraphException">GR6202: a symbol cannot be computed from the shapes of the inputs.</exception>
    public SignatureBinder(
        InputSpec[] inputs,
        OutputSpec[] outputs,
        DimSymbol[] symbols,
        ShapeCheck[] checks)
    {
        _inputs = inputs;
        _symbols = symbols;
        _checks = checks;
        _sources = new SymbolSource[symbols.Length];
        for (int i = 0; i < symbols.Length; i++)
        {
            _sources[i] = SymbolSource.Find(symbols[i], inputs) ?? throw NoSource(symbols[i]);
        }
        _inputStarts = new int[inputs.Length + 1];
        for (int i = 0; i < inputs.Length; i++)
        {
            _inputStarts[i + 1] = _inputStarts[i] + inputs[i].Type.Rank;
        }
        _inputDims = new DimProgram[_inputStarts[^1]];
        for (int i = 0; i < inputs.Length; i++)
        {
            Compile(inputs[i].Type.Shape, _inputDims, _inputStarts[i]);
        }
        _outputDims = new DimProgram[outputs.Length][];
        for (int i = 0; i < outputs.Length; i++)
        {
            _outputDims[i] = new DimProgram[outputs[i].Type.Rank];
            Compile(outputs[i].Type.Shape, _outputDims[i], 0);
        }
        _checkSides = new DimProgram[2 * checks.Length];
        for (int i = 0; i < checks.Length; i++)
        {
            _checkSides[2 * i] = Compile(checks[i].Condition.Left);
            _checkSides[(2 * i) + 1] = Compile(checks[i].Condition.Right);
        }
    }

    /// <summary>The number of extents of all inputs.</summary>
    public int ExtentCount => _inputDims.Length;

    /// <summary>Where the extents of an input start in the row.</summary>
    public int Start(int input) => _inputStarts[input];

    /// <summary>Computes the symbols' values.</summary>
    /// <param name="extents">The extents of all inputs.</param>
    /// <param name="symbols">Receives one value per symbol.</param>
    /// <exception cref="GraphException">GR6201: the shapes do not fit the inputs or each other.</exception>
    public void Bind(ReadOnlySpan<long> extents, Span<long> symbols)
    {
        for (int i = 0; i < symbols.Length; i++)
        {
            SymbolSource source = _sources[i];
            long extent = extents[_inputStarts[source.Input] + source.Axis];
            long? value = source.Value(extent);
            if (value is null || value < _symbols[i].Min || value > _symbols[i].Max)
            {
                throw OutOfBounds(_symbols[i], source, extents, value);
            }
            symbols[i] = value.Value;
        }
        for (int i = 0; i < _inputDims.Length; i++)
        {
            if (extents[i] != Evaluate(_inputDims[i], symbols))
            {
                throw Mismatch(i, extents, symbols);
            }
        }
        for (int i = 0; i < _checks.Length; i++)
        {
            long left = Evaluate(_checkSides[2 * i], symbols);
            long right = Evaluate(_checkSides[(2 * i) + 1], symbols);
            if (_checks[i].Condition.Relation == DimRelation.Equal ? left != right : left > right)
            {
                throw CheckFailed(_checks[i], left, right, symbols);
            }
        }
    }

    /// <summary>Computes the extents of all inputs from the symbols' values.</summary>
    /// <param name="symbols">One value per symbol, in the order of the program.</param>
    /// <param name="extents">Receives the row.</param>
    public void Extents(ReadOnlySpan<long> symbols, Span<long> extents)
    {
        for (int i = 0; i < _inputDims.Length; i++)
        {
            extents[i] = Evaluate(_inputDims[i], symbols);
        }
    }

    /// <summary>The shape of an output for given symbol values.</summary>
    public long[] OutputShape(int output, ReadOnlySpan<long> symbols)
    {
        DimProgram[] dims = _outputDims[output];
        long[] shape = new long[dims.Length];
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = Evaluate(dims[i], symbols);
        }
        return shape;
    }

    /// <summary>Translates a dim over this signature's symbols.</summary>
    public DimProgram Compile(Dim dim) => DimProgram.Compile(dim, _symbols);

    private void Compile(Shape shape, DimProgram[] programs, int at)
    {
        for (int i = 0; i < shape.Rank; i++)
        {
            programs[at + i] = Compile(shape[i]);
        }
    }

    /// <summary>Evaluates a size.</summary>
    /// <exception cref="GraphException">GR6201: the symbols' values make it leave 64 bits.</exception>
    public static long Evaluate(DimProgram program, ReadOnlySpan<long> symbols)
    {
        try
        {
            return program.Evaluate(symbols);
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch, "the shapes that were fed make a size that cannot be computed",
                why: e.Message, fix: "feed smaller tensors", inner: e);
        }
    }

    private static GraphException NoSource(DimSymbol symbol) => new(
        RuntimeDiagnostics.UnboundSymbol,
        $"dimension '{symbol.Name}' cannot be computed from the shapes of the inputs",
        why: "a symbol gets its value from an input dimension that is the symbol, or a multiple of it plus a number",
        fix: $"give one input a dimension that is '{symbol.Name}' alone, or make it a number");

    private GraphException OutOfBounds(DimSymbol symbol, SymbolSource source, ReadOnlySpan<long> extents, long? value)
    {
        InputSpec input = _inputs[source.Input];
        string why = value is null
            ? $"it must be {input.Type.Shape[source.Axis]} for a whole number '{symbol.Name}'"
            : $"'{symbol.Name}' is {value}, and must lie in {symbol.Min}..{symbol.Max}";
        return new GraphException(
            RuntimeDiagnostics.ShapeMismatch,
            $"input '{input.Name}': shape {ShapeText(source.Input, extents)} does not fit {input.Type}: "
            + $"dimension {source.Axis} is out of range",
            why: why,
            fix: $"feed a tensor whose dimension {source.Axis} is allowed");
    }

    private GraphException Mismatch(int position, ReadOnlySpan<long> extents, ReadOnlySpan<long> symbols)
    {
        int number = Array.FindLastIndex(_inputStarts, _inputs.Length - 1, start => start <= position);
        InputSpec input = _inputs[number];
        int axis = position - _inputStarts[number];
        Dim dim = input.Type.Shape[axis];
        long expected = Evaluate(_inputDims[position], symbols);
        return new GraphException(
            RuntimeDiagnostics.ShapeMismatch,
            $"input '{input.Name}': shape {ShapeText(number, extents)} does not fit {input.Type}: "
            + $"dimension {axis} is {extents[position]}, not {expected}",
            why: dim.IsStatic ? null : $"{dim} is {expected} because {Values(dim.Symbols, symbols)}",
            fix: "feed a tensor of the right shape");
    }

    private GraphException CheckFailed(ShapeCheck check, long left, long right, ReadOnlySpan<long> symbols)
    {
        DimCheck condition = check.Condition;
        string relation = condition.Relation == DimRelation.Equal ? "equal to" : "at most";
        return new GraphException(
            RuntimeDiagnostics.ShapeMismatch,
            $"the shapes that were fed do not fit the graph: "
            + $"{condition.Left} = {left} must be {relation} {condition.Right} = {right}",
            where: check.Where,
            why: "it could not be known before the run; "
            + Values(condition.Left.Symbols.Union(condition.Right.Symbols), symbols),
            fix: "feed tensors whose shapes fit together");
    }

    private string Values(IEnumerable<DimSymbol> used, ReadOnlySpan<long> symbols)
    {
        var parts = new List<string>();
        foreach (DimSymbol symbol in used)
        {
            int index = Array.IndexOf(_symbols, symbol);
            string from = _inputs[_sources[index].Input].Name;
            parts.Add($"{symbol.Name} = {symbols[index]} by dimension {_sources[index].Axis} of input '{from}'");
        }
        return string.Join(", ", parts);
    }

    private string ShapeText(int input, ReadOnlySpan<long> extents) =>
        $"[{string.Join(",", extents[_inputStarts[input].._inputStarts[input + 1]].ToArray())}]";
}
