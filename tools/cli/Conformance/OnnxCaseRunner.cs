using Graphene.Cli.Execution;
using Graphene.Cli.Models;
using Graphene.Cli.Values;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Microsoft.Extensions.Logging.Abstractions;

namespace Graphene.Cli.Conformance;

/// <summary>Runs one case: imports the model, feeds each data set, compares the outputs.</summary>
/// <param name="compiler">Compiles the models.</param>
/// <param name="tolerance">Gives the tolerance, from the one that suits a case.</param>
internal sealed class OnnxCaseRunner(IGraphCompiler compiler, Func<Tolerance, Tolerance> tolerance)
{
    private static readonly DiagnosticId[] Unsupported =
        [OnnxDiagnosticIds.UnsupportedOperators, OnnxDiagnosticIds.UnsupportedType, OnnxDiagnosticIds.UnsupportedUse];

    /// <summary>Runs a case; every error is an outcome.</summary>
    public CaseOutcome Run(OnnxCase test)
    {
        try
        {
            return RunDataSets(test);
        }
        catch (GraphException e) when (Unsupported.Contains(e.Id))
        {
            return CaseOutcome.Skipped($"unsupported: {MissingOperators(test) ?? e.What}");
        }
        catch (Exception e)
        {
            return CaseOutcome.Failed(e is GraphException ? e.Message : $"{e.GetType().Name}: {e.Message}");
        }
    }

    // By name and without counts, so that a report can be grouped by what is missing.
    private static string? MissingOperators(OnnxCase test)
    {
        using OnnxModelFile file = OnnxModelFile.Load(test.ModelPath);
        IReadOnlyList<UnsupportedOperator> missing = OnnxImporter.FindUnsupported(file);
        return missing.Count == 0 ? null : string.Join(", ", missing.Select(m => m.Operator));
    }

    private CaseOutcome RunDataSets(OnnxCase test)
    {
        ModelRunner? runner = null;
        LoadedModel? model = null;
        var tiedTo = new SortedSet<string>(StringComparer.Ordinal);
        try
        {
            foreach (string dataSet in test.DataSets())
            {
                IReadOnlyList<Literal> inputs = OnnxCase.ReadTensors(dataSet, "input");
                // One compiled model serves all data sets, unless it could only be imported for the inputs of one.
                if (model is null || model.TiedTo.Count > 0)
                {
                    runner?.Dispose();
                    model = Load(test, inputs);
                    tiedTo.UnionWith(model.TiedTo);
                    runner = new ModelRunner(model, compiler, threads: 1, NullLogger.Instance);
                }
                if (inputs.Count != model.InputTypes.Length)
                {
                    return CaseOutcome.Failed($"the model has {model.InputTypes.Length} inputs, the data set {inputs.Count}");
                }
                string? difference = Compare(test, model, runner!.Run(inputs), OnnxCase.ReadTensors(dataSet, "output"));
                if (difference is not null)
                {
                    return CaseOutcome.Failed($"{Path.GetFileName(dataSet)}: {difference}");
                }
            }
            return model is null ? CaseOutcome.Failed("there is no data set")
                : CaseOutcome.Passed(tiedTo.Count == 0 ? "" : $"imported for the given {string.Join(", ", tiedTo)}");
        }
        finally
        {
            runner?.Dispose();
        }
    }

    // The i-th file is for the i-th input that is not an initializer; that is how the importer lists them too.
    private static LoadedModel Load(OnnxCase test, IReadOnlyList<Literal> inputs)
    {
        using OnnxModelFile file = OnnxModelFile.Load(test.ModelPath);
        List<string> names = [.. OnnxImporter.InputNames(file)];
        return ModelLoader.Load(
            test.ModelPath, inputValue: name => names.IndexOf(name) is var i and >= 0 && i < inputs.Count ? inputs[i] : null);
    }

    private string? Compare(OnnxCase test, LoadedModel model, IReadOnlyList<Literal> actual, IReadOnlyList<Literal> expected)
    {
        if (actual.Count != expected.Count)
        {
            return $"{actual.Count} outputs, expected {expected.Count}";
        }
        for (int i = 0; i < actual.Count; i++)
        {
            string? difference = OnnxSuiteFacts.HasRandomOutputs(test.Name)
                ? Tolerance.TypeDifference(actual[i], expected[i])
                : tolerance(OnnxSuiteFacts.ToleranceOf(test.Name, expected[i].DType)).Difference(actual[i], expected[i]);
            if (difference is not null)
            {
                return $"output '{model.OutputNames[i]}': {difference}";
            }
        }
        return null;
    }
}
