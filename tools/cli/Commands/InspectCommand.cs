using System.CommandLine;
using Graphene.Cli.Inspection;
using Graphene.Cli.Models;
using Graphene.Codegen;
using Graphene.Optimizer;
using Graphene.Runtime;

namespace Graphene.Cli.Commands;

/// <summary><c>graphene inspect MODEL</c>: shows the graph as imported, optimized, fused or planned, or what is in a bundle.</summary>
internal static class InspectCommand
{
    private static readonly Option<string> Stage = OneOf(
        "--stage", "Which form: as imported, after simplification, with its fusions, or the steps and buffers of the plan.",
        "imported", "optimized", "fused", "plan");

    private static readonly Option<string> Format = OneOf(
        "--format", "text (IR without the contents of long constants), html, dot (Graphviz) or json.", "text", "html", "dot", "json");

    private static readonly Option<string?> Output = new("-o", "--output") { Description = "Write to this file." };

    /// <summary>The command.</summary>
    public static Command Create(CommandIO io)
    {
        var command = new Command("inspect", "Show a model's graph at a stage of the compilation, or what is in a bundle.")
        {
            CommonOptions.Model, CommonOptions.Input, CommonOptions.Dim, Stage, Format, Output,
        };
        command.SetAction(p => Run(p, io));
        return command;
    }

    private static int Run(ParseResult parsed, CommandIO io)
    {
        if (ModelLoader.IsBundle(parsed.GetRequiredValue(CommonOptions.Model)))
        {
            return Show(BundleText.Write(BundleInfo.Read(parsed.GetRequiredValue(CommonOptions.Model))), parsed, io);
        }
        string stage = parsed.GetRequiredValue(Stage);
        Module module = At(stage, CommonOptions.Load(parsed).Module, io);
        string format = parsed.GetRequiredValue(Format);
        return Show(stage == "plan" ? Plan(module, format) : Graph(module, format, stage), parsed, io);
    }

    private static int Show(string text, ParseResult parsed, CommandIO io)
    {
        if (parsed.GetValue(Output) is { } path)
        {
            File.WriteAllText(path, text);
        }
        else
        {
            io.Output.WriteLine(text.TrimEnd());
        }
        return ExitCode.Success;
    }

    private static string Plan(Module module, string format)
    {
        MemoryPlan plan = GraphCompiler.Cpu().PlanMemory(module);
        return format switch
        {
            "html" => PlanHtml.Write(plan, module.Provenance, module.Name),
            "dot" => PlanDot.Write(plan, module.Provenance),
            "json" => PlanJson.Write(plan, module.Provenance),
            _ => PlanText.Write(plan, module.Provenance),
        };
    }

    private static string Graph(Module module, string format, string stage) => format switch
    {
        "html" => ModuleHtml.Write(module, stage),
        "dot" => ModuleDot.Write(module),
        "json" => ModuleJson.Write(module),
        _ => Printer.Print(module, new PrintOptions { ElideLongConstants = true, Provenance = module.Provenance }),
    };

    private static Module At(string stage, Module module, CommandIO io)
    {
        if (stage == "imported")
        {
            return module;
        }
        DebugOptions debug = DebugOptions.FromEnvironment();
        if (stage == "optimized")
        {
            debug = debug with { DisabledPasses = debug.DisabledPasses.Add("fusion") };
        }
        return GraphOptimizer.Run(module, new OptimizerOptions { Debug = debug, Log = io.Error.WriteLine });
    }

    private static Option<string> OneOf(string name, string description, params string[] values)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => values[0] };
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
