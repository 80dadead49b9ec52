using Graphene.Build.Naming;

namespace Graphene.Build.Writing;

/// <summary>Writes the methods that run a function: one on spans, which allocates nothing, and one that returns arrays.</summary>
internal static class FunctionWriter
{
    /// <summary>The most inputs and outputs that the runtime takes in one call; a bound call has no such limit.</summary>
    public const int MaxPorts = 16;

    private const string Span = "global::System.Span";
    private const string ReadOnlySpan = "global::System.ReadOnlySpan";
    private const string Cancellation = "global::System.Threading.CancellationToken cancellation = default";

    /// <summary>Writes the methods.</summary>
    public static void Write(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        if (function.Inputs.Count + function.Outputs.Count <= MaxPorts)
        {
            WriteSpans(code, function, names);
            WriteArrays(code, function, names);
        }
        WriteBind(code, function, names);
    }

    /// <summary>The parameters of symbols.</summary>
    public static IEnumerable<string> SymbolParameters(FunctionDescription function, FunctionNames names) =>
        function.Symbols.Select((s, i) => $"{(s.Max <= int.MaxValue ? "int" : "long")} {Identifiers.Camel(names.Symbols[i])}");

    /// <summary>The documentation of the parameters of symbols.</summary>
    public static void DocumentSymbols(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        for (int i = 0; i < function.Symbols.Count; i++)
        {
            SymbolDescription symbol = function.Symbols[i];
            string bounds = symbol.Max < int.MaxValue ? $"{symbol.Min} to {symbol.Max}" : $"at least {symbol.Min}";
            code.Line(
                $"/// <param name=\"{Parameter(names.Symbols[i])}\">"
                + $"The size of the dimension <c>{CodeWriter.Xml(symbol.Name)}</c>, {bounds}.</param>");
        }
    }

    /// <summary>The values of symbols as a span.</summary>
    public static string SymbolValues(FunctionNames names) => $"[{string.Join(", ", names.Symbols.Select(Identifiers.Camel))}]";

    private static void WriteSpans(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        WriteSummary(code, function, names);
        for (int i = 0; i < function.Outputs.Count; i++)
        {
            PortDescription output = function.Outputs[i];
            string room = output.IsScalar ? "" : "; may be longer than it is";
            code.Line($"/// <param name=\"{Parameter(names.Outputs[i])}\">Receives {Describe(output)}{room}.</param>");
        }
        WriteSymbolsAndErrors(code, function, names);
        List<string> parameters = [.. InputParameters(function, names)];
        parameters.AddRange(function.Outputs.Select((o, i) => o.IsScalar
            ? $"out {ElementTypes.Of(o.DType)} {Identifiers.Camel(names.Outputs[i])}"
            : $"{Span}<{ElementTypes.Of(o.DType)}> {Identifiers.Camel(names.Outputs[i])}"));
        Begin(code, "void", function, names, parameters);
        for (int i = 0; i < function.Outputs.Count; i++)
        {
            string name = Identifiers.Camel(names.Outputs[i]);
            if (function.Outputs[i].IsScalar)
            {
                code.Line($"{name} = default;");
                code.Line($"call.Output({i}, new {Span}<{ElementTypes.Of(function.Outputs[i].DType)}>(ref {name}));");
            }
            else
            {
                code.Line($"call.Output({i}, {name});");
            }
        }
        code.Line("call.Run(cancellation);");
        code.Close();
    }

    private static void WriteArrays(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        if (function.Outputs.Count == 0)
        {
            return;
        }
        WriteSummary(code, function, names);
        WriteSymbolsAndErrors(code, function, names);
        bool isOne = function.Outputs.Count == 1;
        code.Line(isOne
            ? $"/// <returns>{Capital(Describe(function.Outputs[0]))}.</returns>"
            : "/// <returns>All outputs, in arrays of their own.</returns>");
        string type = isOne ? ResultType(function.Outputs[0]) : names.Result;
        Begin(code, type, function, names, [.. InputParameters(function, names)]);
        for (int i = 0; i < function.Outputs.Count; i++)
        {
            PortDescription output = function.Outputs[i];
            string element = ElementTypes.Of(output.DType);
            string name = Identifiers.Camel(names.Outputs[i]);
            code.Line(output.IsScalar
                ? $"{element} {name} = default;"
                : $"{element}[] {name} = new {element}[call.OutputLength({i})];");
            code.Line(output.IsScalar
                ? $"call.Output({i}, new {Span}<{element}>(ref {name}));"
                : $"call.Output({i}, new {Span}<{element}>({name}));");
        }
        code.Line("call.Run(cancellation);");
        string results = string.Join(", ", names.Outputs.Select(Identifiers.Camel));
        code.Line(isOne ? $"return {results};" : $"return new {names.Result}({results});");
        code.Close();
        if (!isOne)
        {
            WriteResult(code, function, names);
        }
    }

    private static void WriteResult(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        code.Line();
        code.Line($"/// <summary>What <c>{names.Method}</c> returns.</summary>");
        for (int i = 0; i < function.Outputs.Count; i++)
        {
            code.Line($"/// <param name=\"{names.Outputs[i]}\">{Capital(Describe(function.Outputs[i]))}.</param>");
        }
        IEnumerable<string> members = function.Outputs.Select((o, i) => $"{ResultType(o)} {names.Outputs[i]}");
        code.Line($"public readonly record struct {names.Result}({string.Join(", ", members)});");
    }

    private static void WriteBind(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        code.Line();
        code.Line(
            $"/// <summary>Makes a call of <c>{CodeWriter.Xml(function.Name)}</c> with memory of its own for inputs and outputs: "
            + "the cheapest way to run again and again.</summary>");
        DocumentSymbols(code, function, names);
        code.Line("/// <returns>The call, to be disposed; one thread at a time uses it.</returns>");
        code.Line(
            $"public {names.Call} {names.Bind}({string.Join(", ", SymbolParameters(function, names))}) => " +
            $"new {names.Call}({names.Field}.Bind({SymbolValues(names)}));");
    }

    private static void Begin(CodeWriter code, string type, FunctionDescription function, FunctionNames names, List<string> parameters)
    {
        if (!function.IsInferred)
        {
            parameters.AddRange(SymbolParameters(function, names));
        }
        parameters.Add(Cancellation);
        code.Line($"public {type} {names.Method}({string.Join(", ", parameters)})");
        code.Open();
        string symbols = function.IsInferred ? "" : SymbolValues(names);
        code.Line($"scoped global::Graphene.Runtime.ModelCall call = {names.Field}.Begin({symbols});");
        for (int i = 0; i < function.Inputs.Count; i++)
        {
            string name = Identifiers.Camel(names.Inputs[i]);
            PortDescription input = function.Inputs[i];
            code.Line(input.IsScalar
                ? $"call.Input({i}, new {ReadOnlySpan}<{ElementTypes.Of(input.DType)}>(in {name}));"
                : $"call.Input({i}, {name});");
        }
    }

    private static IEnumerable<string> InputParameters(FunctionDescription function, FunctionNames names) =>
        function.Inputs.Select((p, i) => p.IsScalar
            ? $"{ElementTypes.Of(p.DType)} {Identifiers.Camel(names.Inputs[i])}"
            : $"{ReadOnlySpan}<{ElementTypes.Of(p.DType)}> {Identifiers.Camel(names.Inputs[i])}");

    private static void WriteSummary(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        code.Line();
        code.Line($"/// <summary>Runs <c>{CodeWriter.Xml(function.Name)}</c>.</summary>");
        for (int i = 0; i < function.Inputs.Count; i++)
        {
            code.Line($"/// <param name=\"{Parameter(names.Inputs[i])}\">{Capital(Describe(function.Inputs[i]))}.</param>");
        }
    }

    private static void WriteSymbolsAndErrors(CodeWriter code, FunctionDescription function, FunctionNames names)
    {
        if (!function.IsInferred)
        {
            DocumentSymbols(code, function, names);
        }
        code.Line("/// <param name=\"cancellation\">Stops the run; outputs hold nothing useful then.</param>");
        code.Line(
            "/// <exception cref=\"global::Graphene.GraphException\">"
            + "Elements do not fit, or a check in the model failed.</exception>");
        code.Line("/// <exception cref=\"global::System.OperationCanceledException\">The token was raised.</exception>");
    }

    private static string ResultType(PortDescription output) =>
        output.IsScalar ? ElementTypes.Of(output.DType) : ElementTypes.Of(output.DType) + "[]";

    private static string Describe(PortDescription port) => port.IsScalar
        ? $"the value of <c>{CodeWriter.Xml(port.Name)}</c>, {port.DType}"
        : $"the elements of <c>{CodeWriter.Xml(port.Name)}</c>, {CodeWriter.Xml(port.Shape)}, row-major";

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text.Substring(1);

    private static string Parameter(string name) => Identifiers.Camel(name).TrimStart('@');
}
