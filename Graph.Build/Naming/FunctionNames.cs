namespace Graphene.Build.Naming;

/// <summary>The C# names of a function and all that belongs to it.</summary>
internal sealed class FunctionNames
{
    // What the generated methods and classes use themselves.
    private static readonly string[] Members =
        ["Dispose", "Equals", "Finalize", "GetHashCode", "GetType", "MemberwiseClone", "ReferenceEquals", "ToString", "Run", "Deconstruct",
         "PrintMembers", "EqualityContract", "Clone"];

    private static readonly string[] Locals = ["Call", "Cancellation", "Model", "Options"];

    /// <summary>Chooses the names.</summary>
    /// <param name="function">The function.</param>
    /// <param name="scope">The members of the model's class.</param>
    /// <param name="isOnly">Whether the model has no other function.</param>
    public FunctionNames(FunctionDescription function, NameScope scope, bool isOnly)
    {
        string name = Identifiers.Pascal(function.Name);
        name = name.Length == 0 ? "Run" : name;
        Method = scope.TakeAny(name, name + "Model");
        Field = "_" + Identifiers.Camel(Method).TrimStart('@');
        Bind = scope.Take(isOnly ? "Bind" : "Bind" + Method);
        Call = scope.Take(Method + "Call");
        Result = scope.Take(Method + "Result");
        var ports = new NameScope([.. Members, .. Locals, Call, Result]);
        Inputs = [.. function.Inputs.Select((p, i) => PortName(ports, p, "Input", i))];
        Outputs = [.. function.Outputs.Select((p, i) => PortName(ports, p, "Output", i))];
        Symbols = [.. function.Symbols.Select((s, i) => SymbolName(ports, s, i))];
        string prefix = isOnly ? "" : Method;
        Constants = [.. Inputs.Concat(Outputs).Select(p => prefix + p)];
    }

    /// <summary>The method that runs it.</summary>
    public string Method { get; }

    /// <summary>The field that holds it.</summary>
    public string Field { get; }

    /// <summary>The method that makes a call with memory of its own.</summary>
    public string Bind { get; }

    /// <summary>The class of such calls.</summary>
    public string Call { get; }

    /// <summary>The type of several results.</summary>
    public string Result { get; }

    /// <summary>The inputs, as members.</summary>
    public IReadOnlyList<string> Inputs { get; }

    /// <summary>The outputs, as members.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>The symbolic dimensions, as members.</summary>
    public IReadOnlyList<string> Symbols { get; }

    /// <summary>What the constants about inputs and outputs begin with.</summary>
    public IReadOnlyList<string> Constants { get; }

    private static string PortName(NameScope scope, PortDescription port, string kind, int index)
    {
        string name = Identifiers.Pascal(port.Name);
        return name.Length == 0 ? scope.Take($"{kind}{index}") : scope.TakeAny(name, name + kind);
    }

    private static string SymbolName(NameScope scope, SymbolDescription symbol, int index)
    {
        string name = Identifiers.Pascal(symbol.Name);
        return name.Length == 0 ? scope.Take($"Size{index}") : scope.TakeAny(name, name + "Size");
    }
}
